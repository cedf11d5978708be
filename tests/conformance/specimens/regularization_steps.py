"""How to build the train steps and weight averages of unitools.regularization."""

import keras
import numpy as np

import unitools as ut
from unitools.testing import Specimen


def _network():
    inputs = keras.Input((6,))
    x = keras.layers.Dense(5, activation="tanh", name="inner")(inputs)
    return keras.Model(inputs, keras.layers.Dense(3, name="outer")(x), name="network")


SPECIMENS = [
    Specimen(
        ut.regularization.RegularizedModel,
        arguments={
            "model": _network(),
            "steps": (ut.regularization.SharpnessAware(0.1), ut.regularization.RDrop(0.5, from_logits=True)),
        },
        inputs=lambda: np.random.default_rng(0).normal(size=(4, 6)).astype("float32"),
        output_shape=(4, 3),
        bad={"model": "resnet50", "steps": ("r_drop",)},
    ),
    Specimen(
        ut.regularization.RDrop,
        arguments={"alpha": 2.0, "from_logits": True, "ignore_class": 0},
        bad={"alpha": -1.0, "from_logits": "yes", "ignore_class": 0.5},
    ),
    Specimen(
        ut.regularization.FGM,
        arguments={"epsilon": 0.3, "layers": ("words", "chars"), "target": "table"},
        bad={"epsilon": -0.5, "layers": (3,), "target": "input"},
    ),
    Specimen(
        ut.regularization.PGD,
        arguments={"epsilon": 0.4, "step_size": 0.1, "steps": 5, "layers": "words", "target": "table"},
        bad={"epsilon": -0.5, "step_size": 0.0, "steps": 0, "layers": (3,), "target": "input"},
    ),
    Specimen(
        ut.regularization.SharpnessAware,
        arguments={"rho": 0.2, "adaptive": True},
        bad={"rho": -0.1, "adaptive": "yes"},
    ),
    Specimen(
        ut.regularization.ExponentialAverage,
        arguments={"decay": 0.8, "warmup": False, "start": 2, "batch_norm": "reestimate"},
        bad={"decay": 1.0, "warmup": "yes", "start": 1.5, "batch_norm": "keep"},
    ),
    Specimen(
        ut.regularization.StochasticAverage,
        arguments={"start": 0.3, "every": 2, "batch_norm": "reestimate"},
        bad={"start": -1, "every": 0, "batch_norm": "keep"},
    ),
]
