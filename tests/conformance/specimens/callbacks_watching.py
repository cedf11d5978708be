import atexit
import shutil
import tempfile

import keras
import numpy as np

import unitools as ut
from unitools.testing import Specimen

FOLDER = tempfile.mkdtemp()
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
SCHEDULE = keras.optimizers.schedules.CosineDecay(0.1, 8, warmup_steps=2)


def _net():
    """Return a net of two layers from fixed weights, its rate on a schedule, and its data."""
    values = np.linspace(-1, 1, 16, dtype="float32").reshape(8, 2)
    ones = {"kernel_initializer": "ones"}
    layers = [keras.Input((2,)), keras.layers.Dense(3, name="base", **ones), keras.layers.Dense(1, name="head", **ones)]
    model = keras.Sequential(layers)
    rate = ut.training.WarmupDecay(0.5, steps=8, warmup_steps=2)
    model.compile(keras.optimizers.Adam(rate), "mse", metrics=["mae"], run_eagerly=True)
    return model, values, values.sum(axis=1, keepdims=True)


def _unstable_net():
    """Return the same with a rate so high that it diverges after some steps."""
    model, values, targets = _net()
    model.compile(keras.optimizers.SGD(1e3, momentum=0.5), "mse", metrics=["mae"], run_eagerly=True)
    return model, values * 1e3, targets


WATCHED = {"monitor": 3, "mode": "best", "min_delta": -1.0}
SPECIMENS = [
    Specimen(
        ut.callbacks.EarlyStopping,
        arguments={
            "monitor": "val_mae",
            "patience": 1,
            "min_delta": 0.5,
            "mode": "min",
            "restore_best": False,
            "baseline": 2.0,
        },
        bad=WATCHED | {"patience": 0, "restore_best": 1, "baseline": "low"},
        training=_net,
    ),
    Specimen(
        ut.callbacks.BestWeights,
        arguments={"path": f"{FOLDER}/best.safetensors", "monitor": "mae", "mode": "min", "min_delta": 0.01},
        bad=WATCHED | {"path": "best.pkl"},
        training=_net,
    ),
    Specimen(
        ut.callbacks.ReduceLROnPlateau,
        arguments={
            "monitor": "val_mae",
            "factor": 0.25,
            "patience": 1,
            "min_delta": 0.4,
            "mode": "min",
            "cooldown": 1,
            "min_lr": 0.001,
        },
        bad=WATCHED | {"factor": 1.0, "patience": 0, "cooldown": -1, "min_lr": -0.1},
        training=_net,
    ),
    Specimen(
        ut.callbacks.NanGuard,
        arguments={"every": 1, "factor": 1e-3, "max_returns": 9, "check_every": 2},
        bad={"every": 0, "factor": 0.0, "max_returns": -1, "check_every": 0},
        training=_unstable_net,
    ),
    Specimen(
        ut.callbacks.GradualUnfreeze,
        arguments={"schedule": ((0, "head"), (1, "ba*")), "batch_norm": True},
        bad={"schedule": ((1, "head"),), "batch_norm": 1},
        training=_net,
    ),
    Specimen(
        ut.callbacks.PruneTrial,
        arguments={"monitor": "val_mae", "mode": "min", "rivals": ((0.1, 0.1), (0.2,)), "warmup_epochs": 2},
        bad={"monitor": "", "mode": "low", "rivals": (0.1, 0.2), "warmup_epochs": -1},
        training=_net,
    ),
    Specimen(
        ut.callbacks.ScaledSchedule,
        arguments={"schedule": SCHEDULE, "scale": 0.3},
        bad={"schedule": 0.1, "scale": -1.0},
    ),
]
