import keras
import numpy as np

import unitools as ut
from unitools.testing import Specimen


def _normal(*shape):
    return lambda: np.random.default_rng(0).normal(size=shape).astype("float32")


def _dense(units):
    return keras.layers.Dense(units, kernel_initializer=keras.initializers.GlorotUniform(seed=1), name="dense")


SPECIMENS = [
    Specimen(
        ut.regularization.DropPath,
        arguments={"rate": 0.5, "seed": 7},
        inputs=_normal(16, 6, 5),
        output_shape=(16, 6, 5),
        bad={"rate": 1.0, "seed": 0.5},
    ),
    Specimen(
        ut.regularization.LayerDrop,
        arguments={"layer": _dense(5), "rate": 0.5, "seed": 7},
        inputs=_normal(16, 6, 5),
        output_shape=(16, 6, 5),
        bad={"layer": "dense", "rate": -0.1, "seed": 0.5},
    ),
    Specimen(
        ut.regularization.DropBlock,
        arguments={"rate": 0.3, "block_size": 3, "per_channel": False, "seed": 7},
        inputs=_normal(4, 8, 9, 2),
        output_shape=(4, 8, 9, 2),
        bad={"rate": 1.0, "block_size": 0, "per_channel": "yes", "seed": 0.5},
    ),
    Specimen(
        ut.regularization.TokenDropout,
        arguments={"rate": 0.5, "replacement": 3, "keep": (0, 1, 2), "seed": 7},
        inputs=lambda: np.random.default_rng(0).integers(0, 20, (4, 6)).astype("int32"),
        output_shape=(4, 6),
        bad={"rate": 1.5, "replacement": -1, "keep": 0, "seed": 0.5},
    ),
    Specimen(
        ut.regularization.MultiSampleDropout,
        arguments={"layer": _dense(3), "num_samples": 3, "rate": 0.4, "seed": 7},
        inputs=_normal(4, 6),
        output_shape=(4, 3),
        bad={"layer": 3, "num_samples": 0, "rate": 1.0, "seed": 0.5},
    ),
    Specimen(
        ut.regularization.Mixout,
        arguments={"layer": _dense(3), "rate": 0.4, "seed": 7},
        inputs=_normal(4, 6, 5),
        output_shape=(4, 6, 3),
        bad={"layer": None, "rate": 1.0, "seed": 0.5},
        exceptions={
            "training_draws_anew": "Before a step is taken, the kernel is the starting one, and so is every mixture.",
        },
    ),
    Specimen(
        ut.regularization.SpectralNormalization,
        arguments={"layer": _dense(4), "bound": 2.0, "power_iterations": 2},
        inputs=_normal(4, 6, 5),
        output_shape=(4, 6, 4),
        bad={"layer": keras.layers.Embedding(3, 2), "bound": 0.0, "power_iterations": 0},
    ),
    Specimen(
        ut.regularization.WeightStandardization,
        arguments={"layer": _dense(4), "epsilon": 1e-3},
        inputs=_normal(4, 6, 5),
        output_shape=(4, 6, 4),
        bad={"layer": keras.layers.LayerNormalization(name="norm"), "epsilon": 0.0},
    ),
    Specimen(
        ut.regularization.QuantizedKernel,
        arguments={"layer": _dense(4), "bits": 5},
        inputs=_normal(4, 6, 5),
        output_shape=(4, 6, 4),
        bad={"layer": keras.layers.LayerNormalization(name="norm"), "bits": 1},
    ),
    Specimen(
        ut.regularization.QuantizedOutput,
        arguments={"layer": _dense(4), "bits": 5, "momentum": 0.9},
        inputs=_normal(4, 6, 5),
        output_shape=(4, 6, 4),
        bad={"layer": None, "bits": 17, "momentum": 1.0},
    ),
]
