"""Heads: layers that turn features into answers, and know no backbone."""

from unitools.heads.classifier import Classifier

__all__ = ["Classifier"]
