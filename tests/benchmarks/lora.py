"""LoRA against full fine-tuning: score, trained parameters, seconds a step, size of the adapter file.

    python -m tests.benchmarks.lora banking77 DATA WEIGHTS [--rate 2e-3] [--epochs 6] [--steps N] [--lora-only]
    python -m tests.benchmarks.lora conll DATA WEIGHTS [--rate 2e-3] [--epochs 8]

DATA is the folder of the set: train.csv and test.csv, or train, dev and test.iob2.txt. WEIGHTS is a folder of
Transformers with a BERT. Both start from the same weights, see the same batches in the same order, and are scored on
test (and CoNLL on dev too) after the last epoch; the rate of full fine-tuning is the set's usual one. `--steps` ends
each training early, to try the script. The adapter is saved, loaded on weights read anew, and scored from there too.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from rich.console import Console
from rich.table import Table

import unitools as ut
from tests.benchmarks.measure import print_machine

FULL_RATE = {"banking77": 2e-4, "conll": 5e-5}
RATE = {"banking77": 2e-3, "conll": 2e-3}
EPOCHS = {"banking77": 6, "conll": 3}


class Steps(keras.callbacks.Callback):
    """Times the steps of training, and ends it early where asked to."""

    def __init__(self, limit):
        super().__init__()
        self.limit, self.count, self.seconds = limit, 0, []

    def on_train_batch_begin(self, batch, logs=None):
        self._begin = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.seconds.append(time.perf_counter() - self._begin)
        self.count += 1
        self.model.stop_training = self.limit is not None and self.count >= self.limit


def data(given):
    """Return the readers to train on and to score on."""
    if given.task == "banking77":
        train = ut.data.TextTable(given.data / "train.csv", label="category")
        return train, {
            "test": ut.data.TextTable(given.data / "test.csv", label="category", class_names=train.class_names)
        }
    train = ut.data.ColumnText(given.data / "train.iob2.txt")
    return train, {
        name: ut.data.ColumnText(given.data / f"{name}.iob2.txt", tags=train.tags) for name in ("dev", "test")
    }


def make(given, train):
    """Return the task on weights read anew."""
    keras.utils.set_random_seed(given.seed)
    base = ut.backbones.bert(given.weights)
    if given.task == "banking77":
        return ut.tasks.TextClassifier(base, train.class_names)
    return ut.tasks.NamedEntityRecognizer(base, train.tags)


def score(task, reader):
    """Return the micro F1: of classes it is the accuracy."""
    report = task.evaluate(reader).as_dict()
    return report["micro avg"]["f1"]


def run(given, adapter):
    """Train one task and return what the table shows of it."""
    train, scored = data(given)
    task = make(given, train)
    base_bytes = sum(keras.ops.size(weight) * 4 for weight in task.model.weights)
    if adapter is not None:
        print(adapter.apply(task.model, seed=given.seed), flush=True)
    steps = Steps(given.steps)
    rate = given.full_rate if adapter is None else given.rate
    task.fit(
        train, epochs=given.epochs, batch_size=given.batch, learning_rate=rate, decay="linear", seed=given.seed,
        callbacks=[steps], verbose=False,
    )  # fmt: skip
    row = {
        "rate": rate,
        "parameters": sum(int(keras.ops.size(weight)) for weight in task.model.trainable_weights),
        "seconds": sorted(steps.seconds)[len(steps.seconds) // 2],
        "scores": {name: score(task, reader) for name, reader in scored.items()},
        "bytes": None,
    }
    if adapter is not None:
        with tempfile.TemporaryDirectory() as folder:
            path = ut.adaptation.save_adapter(task.model, Path(folder) / "adapter.safetensors")
            row["bytes"] = path.stat().st_size / int(base_bytes)
            again = make(given, train)
            ut.adaptation.load_adapter(again.model, path)
        row["scores"] |= {f"{name}, reloaded": score(again, reader) for name, reader in scored.items()}
    print(row, flush=True)
    return row


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("task", choices=tuple(RATE))
    for name in ("data", "weights"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--rank", type=int, default=8)
    arguments.add_argument("--alpha", type=float, default=16)
    arguments.add_argument("--rate", type=float, help="of LoRA")
    arguments.add_argument("--full-rate", type=float, help="of full fine-tuning")
    arguments.add_argument("--epochs", type=int)
    arguments.add_argument("--batch", type=int, default=16)
    arguments.add_argument("--steps", type=int)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--lora-only", action="store_true")
    given = arguments.parse_args()
    given.rate = given.rate or RATE[given.task]
    given.full_rate = given.full_rate or FULL_RATE[given.task]
    given.epochs = given.epochs or EPOCHS[given.task]
    print_machine()
    rows = {f"LoRA, rank {given.rank}": run(given, ut.adaptation.LoRA(given.rank, alpha=given.alpha))}
    if not given.lora_only:
        rows["all weights"] = run(given, None)
    table = Table(title=f"{given.task}, {given.epochs} epochs, batch {given.batch}")
    for column in ("what", "rate", "parameters", "s a step", "file / base", "scores"):
        table.add_column(column, justify="left" if column in ("what", "scores") else "right")
    for name, row in rows.items():
        scores = "  ".join(f"{where} {value:.4f}" for where, value in row["scores"].items())
        size = "" if row["bytes"] is None else f"{row['bytes']:.2%}"
        table.add_row(name, f"{row['rate']:g}", f"{row['parameters']:,}", f"{row['seconds']:.3f}", size, scores)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
