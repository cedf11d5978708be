"""Fine-tuning for named-entity recognition: seconds an epoch and entity F1, against Transformers with torch.

    python -m tests.benchmarks.ner_training DATA WEIGHTS REFERENCE [--epochs 3] [--padded-steps 60] [--ours-only]

DATA holds train, dev and test.iob2.txt; WEIGHTS is a BERT folder of Transformers; REFERENCE is a script that takes
--data, --weights, --pad, --epochs and --steps and prints "epoch N: S s, dev entity F1 F", "test entity F1 F" and "an
epoch S" (ner_transformers.py beside the data). Both start from the same weights and read the same sentences: batch 16,
AdamW 5e-5, 10 % warm-up, linear decay, labels on first pieces. One after the other on the same machine.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from rich.console import Console
from rich.table import Table

import unitools as ut
from tests.benchmarks.measure import print_machine


class EpochSeconds(keras.callbacks.Callback):
    """Notes how long the steps of each epoch take, validation apart."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self._begin = time.perf_counter()
        self._validating = False

    def on_test_begin(self, logs=None):
        self.seconds.append(time.perf_counter() - self._begin)


def ours(given):
    """Return seconds by epoch, dev F1 by epoch, the test report, and the recognizer."""
    train = ut.data.ColumnText(given.data / "train.iob2.txt")
    dev, test = (ut.data.ColumnText(given.data / f"{name}.iob2.txt", tags=train.tags) for name in ("dev", "test"))
    keras.utils.set_random_seed(given.seed)
    recognizer = ut.tasks.NamedEntityRecognizer(ut.backbones.bert(given.weights), train.tags, crf=given.crf)
    clock = EpochSeconds()
    history = recognizer.fit(
        train, dev, epochs=given.epochs, batch_size=16, learning_rate=5e-5, decay="linear", keep_best=False,
        seed=given.seed, callbacks=[clock], verbose=False,
    ).history  # fmt: skip
    report = recognizer.evaluate(test)
    return clock.seconds, history["val_entity_f1"], report


def reference(given, *options):
    """Return what the reference script prints."""
    command = [sys.executable, given.reference, "--data", given.data, "--weights", given.weights, *options]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout


def main():
    arguments = argparse.ArgumentParser()
    for name in ("data", "weights", "reference"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--epochs", type=int, default=3)
    arguments.add_argument("--padded-steps", type=int, default=60)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--crf", action="store_true")
    arguments.add_argument("--ours-only", action="store_true")
    given = arguments.parse_args()
    print_machine()
    seconds, scores, report = ours(given)
    print("unitools, seconds by epoch", [round(value, 1) for value in seconds], "dev F1", [round(f, 4) for f in scores])
    print(report, flush=True)
    if given.ours_only:
        return
    dynamic = reference(given, "--epochs", given.epochs)
    print(dynamic, flush=True)
    padded = reference(given, "--pad", 128, "--steps", given.padded_steps)
    print(padded, flush=True)
    theirs = [float(value) for value in re.findall(r"epoch \d+: (\d+) s", dynamic)]
    median = sorted(seconds)[len(seconds) // 2]
    table = Table("what", "s an epoch", "unitools is x times as fast", title=f"{given.data.name}, batch 16")
    rows = {
        "unitools": median,
        "Transformers, padded to the longest of a batch": sorted(theirs)[len(theirs) // 2],
        "Transformers, padded to 128": float(re.search(r"an epoch (\d+)", padded)[1]),
    }
    for name, value in rows.items():
        table.add_row(name, f"{value:.0f}", f"{value / median:.2f}")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
