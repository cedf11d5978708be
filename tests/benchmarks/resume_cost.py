"""What it costs to save a run every 50 steps: the time of an epoch with `ExactResume` against one without.

    python -m tests.benchmarks.resume_cost DATA WEIGHTS [--steps 200] [--every 50] [--rounds 5] [--peer]

DATA is conll2003-en, WEIGHTS a BERT folder of Transformers. Both train the whole net with AdamW, batch 16; they take
turns, and the ratio of each pair counts. `--peer` measures Keras' BackupAndRestore(save_freq=every) in the same way.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

import unitools as ut
from tests.benchmarks.measure import print_machine


class Clock(keras.callbacks.Callback):
    """Measures from the end of the third step to that of the last, and the slowest step."""

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        if batch == 2:
            self.begin = now
        self.end = now


def prepared(given):
    """Return a compiled tagger, and batches of random words."""
    keras.utils.set_random_seed(1)
    train = ut.data.ColumnText(given.data / "train.iob2.txt")
    task = ut.tasks.NamedEntityRecognizer(ut.backbones.bert(given.weights), train.tags)
    ut.training.compile(task.model, learning_rate=5e-5, verbose=False)
    spec = tf.random.Generator.from_seed(1)
    ids = spec.uniform((given.steps * 16, 32), 5, 20000, tf.int32)
    mask, tags = tf.ones_like(ids, tf.bool), spec.uniform((given.steps * 16, 32), 0, len(train.tags), tf.int32)
    names = {name: {"token_ids": ids, "padding_mask": mask}.get(name, tf.zeros_like(ids)) for name in task.model.input}
    data = tf.data.Dataset.from_tensor_slices((names, tags)).batch(16)
    return task.model, data


def main():
    arguments = argparse.ArgumentParser()
    for name in ("data", "weights"):
        arguments.add_argument(name, type=Path)
    for name, value in {"steps": 200, "every": 50, "rounds": 5}.items():
        arguments.add_argument(f"--{name}", type=int, default=value)
    arguments.add_argument("--peer", action="store_true")
    given = arguments.parse_args()
    print_machine()
    model, data = prepared(given)

    def seconds(saves):
        clock = Clock()
        with tempfile.TemporaryDirectory() as folder:
            callbacks = [clock]
            if saves and given.peer:
                callbacks.append(keras.callbacks.BackupAndRestore(folder, save_freq=given.every))
            elif saves:
                callbacks.append(ut.callbacks.ExactResume(folder, every=given.every, allow=("order",)))
            model.fit(data, shuffle=False, verbose=0, callbacks=callbacks)
        return clock.end - clock.begin

    seconds(False)
    pairs = []
    for number in range(given.rounds):
        order = (False, True) if number % 2 else (True, False)
        found = {saves: seconds(saves) for saves in order}
        pairs.append(found)
        print({("with" if saves else "without"): round(value, 2) for saves, value in found.items()}, flush=True)
    ratio = statistics.median(found[True] / found[False] for found in pairs)
    size = sum(w.numpy().nbytes for w in model.variables + model.optimizer.variables) / 1e6
    step = statistics.median(found[False] for found in pairs) / (given.steps - 3)
    print(f"{size:.0f} MB each, a step {1000 * step:.0f} ms; every {given.every} steps {100 * (ratio - 1):+.1f} %")


if __name__ == "__main__":
    main()
