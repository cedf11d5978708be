import atexit
import shutil
import tempfile

import keras
import numpy as np

import unitools as ut
from unitools.testing import Specimen

FOLDER = tempfile.mkdtemp()
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def _net():
    """Return a small net, and its data."""
    values = np.linspace(-1, 1, 16, dtype="float32").reshape(8, 2)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=["mae"], run_eagerly=True)
    return model, values, values.sum(axis=1, keepdims=True)


SPECIMENS = [
    Specimen(
        ut.callbacks.ExactResume,
        arguments={
            "folder": f"{FOLDER}/run",
            "every": 2,
            "keep": 1,
            "allow": ("order", "seed"),
            "background": False,
        },
        bad={"folder": "", "every": 0, "keep": 0, "allow": ("weights",), "background": 1},
        training=_net,
    ),
]
