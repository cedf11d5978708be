import numpy as np

import unitools as ut
from unitools.testing import Specimen

_VOCABULARY = ("<pad>", "<unk>", "<s>", "</s>", "<mask>", "play", "##ing", "Well", "!")
_SPECIAL = {"pad": "<pad>", "unknown": "<unk>", "first": "<s>", "last": "</s>", "mask": "<mask>"}
_LENGTH = 6

SPECIMENS = [
    Specimen(
        ut.data.WordPieceTokenizer,
        arguments={
            "vocabulary": _VOCABULARY,
            "lowercase": False,
            "strip_accents": True,
            "split_chinese": False,
            "special_tokens": _SPECIAL,
            "max_length": _LENGTH,
            "padding": "max_length",
        },
        inputs=lambda: np.array(["playing Well!", "pláy 中文 well", "", "Well Well playing!"], object),
        output_shape={
            **dict.fromkeys(("token_ids", "padding_mask", "segment_ids", "word_ids"), (4, _LENGTH)),
            "offsets": (4, _LENGTH, 2),
            "num_truncated": (4,),
        },
        bad={
            "vocabulary": 5,
            "lowercase": "yes",
            "strip_accents": 3,
            "split_chinese": "no",
            "special_tokens": {"pad": "<blank>"},
            "max_length": 2,
            "padding": "shortest",
        },
    ),
    Specimen(
        ut.data.WordVocabulary,
        arguments={"vocabulary": ("the", "über"), "lowercase": True, "split": True},
        inputs=lambda: np.array(["The ÜBER cat", "cat the the", "a the über"], object),
        output_shape=(3, 3),
        bad={"vocabulary": 5, "lowercase": "yes", "split": 3},
    ),
    Specimen(
        ut.data.CharacterVocabulary,
        arguments={"vocabulary": ("é", "a"), "max_word_length": 4},
        inputs=lambda: np.array([["café", "", "aaaaaa"], ["x", "a", ""]], object),
        output_shape=(2, 3, 4),
        bad={"vocabulary": ("ab",), "max_word_length": 0},
    ),
    Specimen(
        ut.data.WordSplitter,
        arguments={"abbreviations": ("approx.",), "split_clitics": False, "split_chinese": False},
        inputs=lambda: np.array(["It isn't (approx.) 5.", "中文 is (b) c d", "Mr. Day's, a b!", "“a” b c d e"], object),
        output_shape={"words": (4, 7), "offsets": (4, 7, 2)},
        bad={"abbreviations": ("Mr",), "split_clitics": "yes", "split_chinese": 3},
    ),
    Specimen(
        ut.data.WordTokenizer,
        arguments={
            "words": ut.data.WordVocabulary(("the", "day's"), lowercase=True),
            "characters": ut.data.CharacterVocabulary(("T", "é"), max_word_length=4),
            "splitter": ut.data.WordSplitter(split_clitics=False),
            "max_length": 5,
            "padding": "max_length",
        },
        inputs=lambda: np.array(["The Day's café", "the the.", "", "a b c d e f"], object),
        output_shape={
            **dict.fromkeys(("token_ids", "padding_mask", "word_ids"), (4, 5)),
            "offsets": (4, 5, 2),
            "character_ids": (4, 5, 4),
            "num_truncated": (4,),
        },
        bad={
            "words": ("the",),
            "characters": "abc",
            "splitter": " ",
            "max_length": 0,
            "padding": "shortest",
        },
    ),
]
