import numpy as np

import unitools as ut
from unitools.testing import Specimen

TAGS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


def _labels_and_logits():
    random = np.random.default_rng(0)
    return random.integers(-1, 5, (6, 7)), random.normal(size=(6, 7, 5)).astype("float32")


SPECIMENS = [
    Specimen(
        ut.metrics.EntityScores,
        arguments={"tags": TAGS, "mode": "strict", "scheme": "iob2", "average": "macro", "ignore_class": 0},
        inputs=lambda: (_labels_and_logits()[0].clip(0), _labels_and_logits()[1]),
        bad={"tags": ("O", "PER"), "mode": "lenient", "scheme": "ioe", "average": "samples", "ignore_class": 0.5},
    ),
    Specimen(
        ut.metrics.TokenReport,
        arguments={"tags": TAGS, "average": "weighted", "ignore_class": 0},
        inputs=lambda: (_labels_and_logits()[0].clip(0), _labels_and_logits()[1]),
        bad={"tags": ("O", "O"), "average": "samples", "ignore_class": 0.5},
    ),
]
