"""Heads: layers that turn features into answers, and know no backbone."""

from unitools.heads.classifier import Classifier
from unitools.heads.token_tagger import TokenTagger

__all__ = ["Classifier", "TokenTagger"]
