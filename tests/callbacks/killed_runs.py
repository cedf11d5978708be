"""Runs that are killed by SIGKILL again and again, until one reaches its end.

    python -m tests.callbacks.killed_runs {exact|keras} KILLS [--signal TERM]

Prints a line of JSON: kills, runs that could not go on, the most steps lost by a kill, the steps of each try, and
whether the end is that of the run that was not killed. Each run is a fork of this process, which imports TensorFlow and
computes nothing with it.
"""

import argparse
import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import struct
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

import unitools as ut

STEPS, BATCH, UNITS = 40, 4, 700
EVERY = 2


class Count(keras.callbacks.Callback):
    """Writes each finished step of training to a file, where a kill leaves it."""

    def __init__(self, path, per_epoch):
        super().__init__()
        self._path, self._place = path, (per_epoch,)
        self._epoch = [0]

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = [epoch]

    def on_train_batch_end(self, batch, logs=None):
        done = self._epoch[0] * self._place[0] + batch + 1
        with open(self._path, "ab") as file:
            file.write(struct.pack("<q", done))


def train(how, folder, epochs, counts):
    """Train to the end, or go on; write the digest of weights and history to `folder`/end."""
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(1)
    features = tf.constant(np.random.default_rng(0).normal(size=(STEPS * BATCH, UNITS)).astype("float32"))
    source = ut.data.Source(STEPS * BATCH, lambda index, seed: (features[index], features[index][:1]))
    data = ut.data.Batches(source, BATCH, seed=2)
    layers = [keras.Input((UNITS,)), keras.layers.Dense(UNITS), keras.layers.Dropout(0.3), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(1e-4), "mse")
    if how == "exact":
        resume = ut.callbacks.ExactResume(str(folder / "run"), every=EVERY)
    else:
        resume = keras.callbacks.BackupAndRestore(str(folder / "run"), save_freq=EVERY)
    callbacks = [resume, Count(counts, STEPS)]
    history = model.fit(data, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks).history
    weights = b"".join(weight.tobytes() for weight in model.get_weights())
    end = {"weights": hashlib.sha256(weights).hexdigest(), "history": history}
    (folder / "end").write_text(json.dumps(end))


def fork(how, folder, epochs, counts):
    """Return the process number of a run."""
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            train(how, folder, epochs, counts)
        status = 0
    except SystemExit as error:
        status = error.code
    except BaseException as error:
        (folder / "error").write_text(f"{type(error).__name__}: {error}")
    finally:
        os._exit(status)


def steps_of(path):
    """Return the steps that a run has finished, in their order."""
    content = path.read_bytes() if path.exists() else b""
    return [number for (number,) in struct.iter_unpack("<q", content[: len(content) // 8 * 8])]


def wait_for_steps(process, counts, number):
    """Wait until a run has done so many steps. Returns its status if it ended first."""
    while len(steps_of(counts)) < number:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    return None


def kill_again_and_again(how, kills, folder, number, seed=0):
    """Return what became of a run that was killed so many times at random moments, most of them within a save."""
    random_ = random.Random(seed)
    found = {"how": how, "kills": 0, "could not go on": 0, "most steps lost": 0, "errors": [], "slowest exit": 0.0}
    found["steps"] = []  # of each try, the first and the last; none of one that could not go on
    epochs, reached = max(2, -(-kills * 8 // STEPS) + 1), 0
    while found["kills"] < kills:
        counts = folder / f"steps-{found['kills']}"
        process = fork(how, folder, epochs, counts)
        status = wait_for_steps(process, counts, 1 + random_.randrange(8))
        if status is None:
            time.sleep(random_.uniform(0, 0.06))
            begin = time.perf_counter()
            os.kill(process, number)
            status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            found["slowest exit"] = max(found["slowest exit"], time.perf_counter() - begin)
        found["kills"] += 1
        steps = steps_of(counts)
        found["steps"].append([steps[0], steps[-1]] if steps else [])
        if steps:
            found["most steps lost"] = max(found["most steps lost"], reached - steps[0] + 1)
            reached = steps[-1]
        if status == 1:
            found["could not go on"] += 1
            found["errors"].append((folder / "error").read_text()[:200])
            begin_anew(folder)
            reached = 0
        elif status == 0:
            break
    return found, epochs


def begin_anew(folder):
    """Do what is left to the user of a run that cannot go on."""
    shutil.rmtree(folder / "run", ignore_errors=True)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("how", choices=("exact", "keras"))
    arguments.add_argument("kills", type=int)
    arguments.add_argument("--signal", choices=("KILL", "TERM"), default="KILL")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as place:
        killed, whole = Path(place) / "killed", Path(place) / "whole"
        killed.mkdir(), whole.mkdir()
        number = signal.SIGKILL if given.signal == "KILL" else signal.SIGTERM
        found, epochs = kill_again_and_again(given.how, given.kills, killed, number)
        for folder in (killed, whole):
            os.waitpid(fork(given.how, folder, epochs, folder / "steps"), 0)
        ends = [(folder / "end").read_text() if (folder / "end").exists() else None for folder in (killed, whole)]
    print(json.dumps(found | {"same end": ends[0] == ends[1] and ends[0] is not None, "save every": EVERY}))


if __name__ == "__main__":
    main()
