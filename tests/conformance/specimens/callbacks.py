import atexit
import shutil
import tempfile

import keras
import numpy as np

import unitools as ut
from unitools.testing import Specimen

TAGS = ("O", "B-LOC", "I-LOC")
LOGS = tempfile.mkdtemp()
atexit.register(shutil.rmtree, LOGS, ignore_errors=True)


def _tagging():
    """Return a tagger from fixed weights, and its data."""
    inputs = keras.Input((5, 2))
    model = keras.Model(inputs, keras.layers.Dense(3, kernel_initializer="ones")(inputs))
    metrics = [ut.metrics.EntityScores(TAGS), ut.metrics.TokenReport(TAGS)]
    model.compile(keras.optimizers.SGD(0.1), ut.losses.TokenCrossEntropy(), metrics=metrics)
    random = np.random.default_rng(0)
    return model, random.normal(size=(8, 5, 2)).astype("float32"), random.integers(0, 3, (8, 5))


SPECIMENS = [
    Specimen(
        ut.callbacks.ScoreReport,
        arguments={
            "metrics": ("token",),
            "log_dir": LOGS,
            "every": 2,
            "with_training": True,
            "print_tables": False,
        },
        bad={"metrics": "token", "log_dir": 3, "every": 0, "with_training": 1, "print_tables": "no"},
        training=_tagging,
    ),
    Specimen(
        ut.callbacks.Progress,
        arguments={"scores": ("mae",), "title": "pass", "style": "bar", "refresh_s": 0.0},
        bad={"scores": "mae", "title": 5, "style": "neon", "refresh_s": -1.0},
    ),
]
