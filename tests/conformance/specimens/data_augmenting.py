import numpy as np

import unitools as ut
from unitools.testing import Specimen

_WORDS = np.array([["Ada", "saw", "New", "York", "today", "again"], ["in", "Rome", "", "", "", ""]], object)
_LABELS = np.array([[5, 0, 1, 3, 0, 0], [0, 4, -1, -1, -1, -1]], np.int32)
_TAGS = ("O", "B-LOC", "I-LOC", "E-LOC", "S-LOC", "S-PER", "B-PER", "I-PER", "E-PER")


def _words():
    return _WORDS.copy()


def _tagged():
    return {"words": _WORDS.copy(), "labels": _LABELS.copy()}


SPECIMENS = [
    Specimen(
        ut.data.WordDropout,
        arguments={"rate": 0.4, "replacement": "<unk>", "outside": 1, "seed": 3},
        inputs=_words,
        output_shape=(2, 6),
        bad={"rate": 1.5, "replacement": "", "outside": -1, "seed": -1},
    ),
    Specimen(
        ut.data.WordSwap,
        arguments={"rate": 0.7, "distance": 2, "outside": 1, "seed": 3},
        inputs=_words,
        output_shape=(2, 6),
        bad={"rate": -0.1, "distance": 0, "outside": "O", "seed": -1},
    ),
    Specimen(
        ut.data.SynonymReplacement,
        arguments={
            "table": {"today": ("this day", "now"), "again": ("anew",)},
            "rate": 0.5,
            "lowercase": True,
            "outside": 2,
            "seed": 3,
        },
        inputs=_words,
        output_shape=(2, 6),
        bad={"table": {"word": ()}, "rate": 2, "lowercase": "yes", "outside": -1, "seed": -1},
    ),
    Specimen(
        ut.data.MentionReplacement,
        arguments={
            "mentions": {"LOC": (("Rome",), ("New", "York", "City")), "PER": (("Alan", "Turing"),)},
            "tags": _TAGS,
            "rate": 0.6,
            "scheme": "bioes",
            "seed": 3,
        },
        inputs=_tagged,
        output_shape={"words": (2, 6), "labels": (2, 6)},
        bad={"mentions": {"LOC": ()}, "tags": ("O", "B-LOC"), "rate": "high", "scheme": "iob", "seed": -1},
    ),
    Specimen(
        ut.data.ComposeText,
        arguments={"augmenters": (ut.data.WordDropout(0.4), ut.data.WordSwap(0.6)), "seed": 3},
        inputs=_words,
        output_shape=(2, 6),
        bad={"augmenters": (), "seed": -1},
    ),
]
