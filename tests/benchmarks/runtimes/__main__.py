"""EfficientNet-Lite0 on flower_photos in TensorFlow, onnxruntime, OpenVINO and LiteRT, floats and int8.

python -m tests.benchmarks.runtimes DATA WEIGHTS [--rounds N] [--pictures N]

DATA has flower_photos/train and flower_photos/val. WEIGHTS is the folder of efficientnet_lite0_imagenet.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from tests.benchmarks.measure import print_machine
from tests.benchmarks.runtimes import worker
from tests.benchmarks.runtimes.exports import classifier, pictures_of, write_exports
from unitools.export import call_portable

FILES = {"LiteRT", "LiteRT float16", "LiteRT int8"}
BATCH = 32


def run_worker(export, pictures, threads, batch=1, calls=0):
    """Return what a process of its own found."""
    command = [sys.executable, worker.__file__, call_portable.__file__, export, pictures, threads, batch, calls]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measured(exports, pictures, rounds):
    """Return {(runtime, threads): (p50 ms, p99 ms, pictures/s)}, medians of rounds in which all take turns."""
    found = {}
    for number in range(rounds):
        for name, export in exports.items():
            for threads in (1, 2):
                single = run_worker(export, pictures, threads, 1, 60)
                many = run_worker(export, pictures, threads, BATCH, 8)
                row = (*(1000 * np.percentile(single, share) for share in (50, 99)), BATCH / statistics.median(many))
                found.setdefault((name, threads), []).append(row)
        print(f"round {number + 1} of {rounds}", flush=True)
    return {key: np.median(rows, axis=0) for key, rows in found.items()}


def print_scores(exports, pictures, labels, predicted):
    """Print size and accuracy of each export, and how many answers differ from `predict`."""
    table = Table(title=f"accuracy on {len(labels)} pictures of flower_photos/val")
    for column in ("runtime", "MB", "of LiteRT's floats", "accuracy", "answers unlike predict"):
        table.add_column(column, justify="left" if column == "runtime" else "right")
    table.add_row("predict", "", "", f"{np.mean(predicted == labels):.4f}", "")
    floats = _bytes_of(exports["LiteRT"])
    for name, export in exports.items():
        answers = np.array(run_worker(export, pictures, 2))
        share = f"{_bytes_of(export) / floats:.3f}" if name in FILES else ""
        score, other = f"{np.mean(answers == labels):.4f}", f"{np.sum(answers != predicted)}"
        table.add_row(name, f"{_bytes_of(export) / 1e6:.1f}", share, score, other)
    Console(width=110).print(table)


def _bytes_of(export):
    names = ("model.*", "saved_model.pb", "variables/*")
    return sum(file.stat().st_size for name in names for file in Path(export).glob(name))


def print_speeds(rows):
    """Print latency and throughput of each runtime, by threads."""
    table = Table(title="latency of one picture, throughput of 32 at a time")
    for column in ("runtime", "threads", "p50 ms", "p99 ms", "pictures/s"):
        table.add_column(column, justify="left" if column == "runtime" else "right")
    for (name, threads), (p50, p99, rate) in rows.items():
        table.add_row(name, str(threads), f"{p50:.1f}", f"{p99:.1f}", f"{rate:.0f}")
    Console(width=110).print(table)


def main():
    """Train the head, write the exports, score and time them."""
    arguments = argparse.ArgumentParser()
    for name in ("data", "weights"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--pictures", type=int, default=None, help="of each split, for a trial")
    given = arguments.parse_args()
    print_machine()
    with tempfile.TemporaryDirectory() as folder:
        train, train_labels, names = pictures_of(given.data / "flower_photos" / "train", given.pictures)
        held_out, labels, _ = pictures_of(given.data / "flower_photos" / "val", given.pictures)
        model = classifier(given.weights, train, train_labels, names)
        exports = write_exports(model, train, names, Path(folder))
        pictures = Path(folder) / "pictures.npy"
        np.save(pictures, held_out)
        predicted = model.predict(held_out.astype(np.float32), batch_size=64, verbose=0).argmax(-1)
        print_scores(exports, pictures, labels, predicted)
        print_speeds(measured(exports, pictures, given.rounds))


if __name__ == "__main__":
    main()
