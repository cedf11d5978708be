"""Losses, one each a file."""

from unitools.losses.crf_loss import CRFLoss
from unitools.losses.cross_entropy import CrossEntropy
from unitools.losses.token_cross_entropy import TokenCrossEntropy

__all__ = ["CRFLoss", "CrossEntropy", "TokenCrossEntropy"]
