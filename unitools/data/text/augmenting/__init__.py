"""Augmentation of words, alone or with their tags."""

from unitools.data.text.augmenting.compose_text import ComposeText
from unitools.data.text.augmenting.mention_replacement import MentionReplacement
from unitools.data.text.augmenting.synonym_replacement import SynonymReplacement
from unitools.data.text.augmenting.text_augmenter import TextAugmenter
from unitools.data.text.augmenting.word_dropout import WordDropout
from unitools.data.text.augmenting.word_swap import WordSwap

__all__ = [
    "ComposeText",
    "MentionReplacement",
    "SynonymReplacement",
    "TextAugmenter",
    "WordDropout",
    "WordSwap",
]
