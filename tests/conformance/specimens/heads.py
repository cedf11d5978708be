import numpy as np

import unitools as ut
from unitools.testing import Specimen

SPECIMENS = [
    Specimen(
        ut.heads.Classifier,
        arguments={
            "num_classes": 3,
            "hidden_units": 8,
            "dropout": 0.4,
            "pooling": "attention",
            "activation": "sigmoid",
            "seed": 7,
        },
        inputs=lambda: np.random.default_rng(0).normal(size=(4, 6, 5)).astype("float32"),
        output_shape=(4, 3),
        bad={
            "num_classes": 0,
            "hidden_units": -1,
            "dropout": 1.5,
            "pooling": "median",
            "activation": "softmux",
            "seed": 0.5,
        },
    ),
    Specimen(
        ut.heads.TokenTagger,
        arguments={"num_tags": 3, "dropout": 0.4, "seed": 7},
        inputs=lambda: np.random.default_rng(0).normal(size=(4, 6, 5)).astype("float32"),
        output_shape=(4, 6, 3),
        bad={"num_tags": 0, "dropout": 1.5, "seed": 0.5},
    ),
    Specimen(
        ut.heads.CRF,
        arguments={
            "num_tags": 3,
            "transitions": "none",
            "allowed": ut.heads.allowed_transitions(("O", "B-PER", "I-PER")),
            "dropout": 0.4,
            "seed": 7,
        },
        inputs=lambda: np.random.default_rng(0).normal(size=(4, 6, 5)).astype("float32"),
        output_shape=(4, 6, 3, 3),
        bad={"num_tags": 0, "transitions": "fixed", "allowed": ((True,),), "dropout": 1.5, "seed": 0.5},
    ),
    Specimen(
        ut.heads.CRFDecoder,
        arguments={"num_paths": 2},
        inputs=lambda: np.random.default_rng(0).normal(size=(4, 6, 3, 3)).astype("float32"),
        output_shape={"tags": (4, 2, 6), "log_probabilities": (4, 2), "marginals": (4, 6, 3)},
        bad={"num_paths": 0},
    ),
]
