import atexit
import shutil
import tempfile

import unitools as ut
from unitools.testing import Specimen

FOLDER = tempfile.mkdtemp()
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

SPECIMENS = [
    Specimen(
        ut.callbacks.TensorBoardReport,
        arguments={
            "log_dir": f"{FOLDER}/run",
            "every": 1,
            "gradients": False,
            "class_names": ("a", "b"),
            "wrong_examples": 3,
            "hyperparameters": {"rate": 0.1, "kind": "small"},
        },
        bad={
            "log_dir": 3,
            "every": 0,
            "gradients": 1,
            "class_names": "a",
            "wrong_examples": -1,
            "hyperparameters": {"rate": [0.1]},
        },
    ),
    Specimen(
        ut.callbacks.Throughput,
        arguments={"log": False, "print_line": True, "data_wait": True},
        bad={"log": 1, "print_line": "yes", "data_wait": None},
    ),
    Specimen(
        ut.callbacks.LearningRateFinder,
        arguments={
            "low": 1e-3,
            "high": 0.5,
            "steps": 5,
            "smoothing": 0.5,
            "divergence": 50.0,
            "rule": "steepest",
            "picture": f"{FOLDER}/rates.png",
        },
        bad={
            "low": 0.0,
            "high": 1e-4,
            "steps": 2,
            "smoothing": 1.0,
            "divergence": 1.0,
            "rule": "lowest",
            "picture": 3,
        },
    ),
]
