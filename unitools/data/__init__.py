"""Readers, batches and augmentation."""

from unitools.data.batches import Batches
from unitools.data.class_folders import UnknownClassError
from unitools.data.generator import ImageDataGenerator
from unitools.data.image import (
    AffineAugmenter,
    Augmenter,
    Compose,
    CutMix,
    MixingAugmenter,
    MixUp,
    RandAugment,
    RandomAffine,
    RandomColor,
    RandomErasing,
)
from unitools.data.image_folder import ImageFolder
from unitools.data.picture_error import PictureError
from unitools.data.source import Source
from unitools.data.text.augmenting import (
    ComposeText,
    MentionReplacement,
    SynonymReplacement,
    TextAugmenter,
    WordDropout,
    WordSwap,
)
from unitools.data.text.character_vocabulary import CharacterVocabulary
from unitools.data.text.column_text import ColumnText
from unitools.data.text.tag_scheme import convert_tags, entity_spans
from unitools.data.text.tag_set import UnknownTagError
from unitools.data.text.text_batches import TextBatches
from unitools.data.text.text_file_error import TextFileError
from unitools.data.text.text_table import TextTable
from unitools.data.text.word_labels import align_labels, unalign_labels
from unitools.data.text.word_piece_tokenizer import WordPieceTokenizer
from unitools.data.text.word_splitter import WordSplitter
from unitools.data.text.word_tokenizer import WordTokenizer
from unitools.data.text.word_vectors import WordVectors
from unitools.data.text.word_vocabulary import WordVocabulary
from unitools.data.text.word_windows import join_windows, plan_windows

__all__ = [
    "AffineAugmenter",
    "Augmenter",
    "Batches",
    "CharacterVocabulary",
    "ColumnText",
    "Compose",
    "ComposeText",
    "CutMix",
    "ImageDataGenerator",
    "ImageFolder",
    "MentionReplacement",
    "MixUp",
    "MixingAugmenter",
    "PictureError",
    "RandAugment",
    "RandomAffine",
    "RandomColor",
    "RandomErasing",
    "Source",
    "SynonymReplacement",
    "TextAugmenter",
    "TextBatches",
    "TextFileError",
    "TextTable",
    "UnknownClassError",
    "UnknownTagError",
    "WordDropout",
    "WordPieceTokenizer",
    "WordSplitter",
    "WordSwap",
    "WordTokenizer",
    "WordVectors",
    "WordVocabulary",
    "align_labels",
    "convert_tags",
    "entity_spans",
    "join_windows",
    "plan_windows",
    "unalign_labels",
]
