"""Heads: layers that turn features into answers, and know no backbone."""

from unitools.heads.allowed_transitions import allowed_transitions
from unitools.heads.classifier import Classifier
from unitools.heads.crf import CRF
from unitools.heads.crf_decoder import CRFDecoder
from unitools.heads.token_tagger import TokenTagger

__all__ = ["CRF", "CRFDecoder", "Classifier", "TokenTagger", "allowed_transitions"]
