import numpy as np

import unitools as ut
from unitools.testing import Specimen


def _labels_and_logits():
    random = np.random.default_rng(0)
    return random.integers(-1, 3, (4, 5)), random.normal(size=(4, 5, 3)).astype("float32")


def _tags_and_probabilities():
    random = np.random.default_rng(1)
    return random.integers(0, 3, (4, 5)), random.dirichlet(np.ones(3), (4, 5)).astype("float32")


def _tags_and_potentials():
    random = np.random.default_rng(2)
    return random.integers(0, 3, (4, 5)), random.normal(size=(4, 5, 3, 3)).astype("float32")


SPECIMENS = [
    Specimen(
        ut.losses.CrossEntropy,
        arguments={
            "from_logits": True,
            "label_smoothing": 0.1,
            "ignore_class": -1,
            "class_weight": (1.0, 2.0, 0.5),
            "reduction": "sum",
        },
        inputs=_labels_and_logits,
        output_shape=(),
        bad={
            "from_logits": "yes",
            "label_smoothing": 1.0,
            "ignore_class": 0.5,
            "class_weight": (1.0, -2.0),
            "reduction": "sum_over_batch_size",
        },
    ),
    Specimen(
        ut.losses.TokenCrossEntropy,
        arguments={
            "from_logits": False,
            "label_smoothing": 0.1,
            "ignore_class": 0,
            "class_weight": (1.0, 2.0, 0.5),
            "focal": 1.5,
            "reduction": "sum",
        },
        inputs=_tags_and_probabilities,
        output_shape=(),
        bad={"label_smoothing": 1.0, "ignore_class": 0.5, "class_weight": (1.0, -2.0), "focal": -0.5},
    ),
    Specimen(
        ut.losses.CRFLoss,
        arguments={"normalize": "sequences", "ignore_class": 0, "reduction": "sum"},
        inputs=_tags_and_potentials,
        output_shape=(),
        bad={"normalize": "words", "ignore_class": 0.5, "reduction": "mean"},
    ),
]
