"""Keras callbacks: what `fit` and `evaluate` show while they run."""

from unitools.callbacks.progress import Progress
from unitools.callbacks.score_report import ScoreReport

__all__ = ["Progress", "ScoreReport"]
