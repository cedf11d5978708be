"""What runs in the process of a trial."""

# Imports neither unitools.core nor Keras: a build that needs no TensorFlow shall not wait for it.

import base64
import importlib
import json
import pickle
import random
import runpy
import sys
import traceback
from multiprocessing.connection import Connection

from unitools.tuning.trial import Trial
from unitools.tuning.trial_scores import UnknownObjectiveError, evaluate, fit, is_model, seed_keras, trial_scores


def main(handle: int) -> None:
    """Run one trial, and tell over the connection of that handle how it ended."""
    connection = Connection(handle)
    job = json.loads(connection.recv_bytes())
    trial = Trial(job, connection)
    stage = ["load"]
    try:
        scores = _run(job, trial, stage)
        trial.send({"kind": "result", "scores": scores, "pruned": trial.pruned})
    except BaseException as error:
        if isinstance(error, UnknownObjectiveError):
            stage[0] = "objective"
        message = f"{type(error).__name__}: {error}"
        trial.send({"kind": "error", "stage": stage[0], "message": message, "traceback": traceback.format_exc()})
        sys.exit(1)


def _run(job, trial, stage):
    function = _load(job["function"])
    _seed(trial.seed)
    stage[0] = "build"
    result = function(job["settings"], trial)
    if is_model(result):
        stage[0] = "fit"
        result = evaluate(result, trial) if job["verify"] else fit(result, trial)
    return trial_scores(result, trial)


def _load(reference):
    if "pickle" in reference:
        return pickle.loads(base64.b64decode(reference["pickle"]))
    if "script" in reference:
        holder = runpy.run_path(reference["script"], run_name="__unitools_trial__")
        first, *rest = reference["name"].split(".")
        found = holder[first]
    else:
        found, rest = importlib.import_module(reference["module"]), reference["name"].split(".")
    for name in rest:
        found = getattr(found, name)
    return found


def _seed(seed):
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)
    seed_keras(seed)
