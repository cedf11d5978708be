"""One function a promise, one file a family. Importing this package enters all of them."""

from unitools.testing.checks import (
    augmenting,
    batches,
    callbacks,
    config,
    documentation,
    errors,
    execution,
    precision,
    saving,
    scores,
    training,
)
from unitools.testing.checks.check import Check, all_checks, applicable_checks, promise

__all__ = [
    "Check",
    "all_checks",
    "applicable_checks",
    "augmenting",
    "batches",
    "callbacks",
    "config",
    "documentation",
    "errors",
    "execution",
    "precision",
    "promise",
    "saving",
    "scores",
    "training",
]
