"""Losses, one each a file."""

from unitools.losses.cross_entropy import CrossEntropy

__all__ = ["CrossEntropy"]
