"""Checks that a component keeps its promises, for ours and for a user's own subclass."""

from unitools.testing.check_component import check_component
from unitools.testing.checks import Check, all_checks
from unitools.testing.conformance_error import ConformanceError
from unitools.testing.specimen import Specimen

__all__ = ["Check", "ConformanceError", "Specimen", "all_checks", "check_component"]
