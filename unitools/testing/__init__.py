"""Checks that a component keeps its promises, for ours and for a user's own subclass."""

from unitools.testing.specimen import Specimen

__all__ = ["Specimen"]
