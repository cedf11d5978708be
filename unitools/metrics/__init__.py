"""Metrics, one each a file."""

from unitools.metrics.counted_scores import CountedScores
from unitools.metrics.entity_scores import EntityScores
from unitools.metrics.score_table import ScoreTable
from unitools.metrics.token_report import TokenReport

__all__ = ["CountedScores", "EntityScores", "ScoreTable", "TokenReport"]
