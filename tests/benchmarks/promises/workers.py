"""Two processes that train one model against one process that sees the joined batch."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.benchmarks.promises.picture import OURS, PLAIN, THEIRS, panels
from tests.training.test_distribution import one_process, results, two_workers

EPOCHS = 12


def start(path, **settings):
    """Start a worker."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.training.distributed_run"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    return subprocess.Popen([*command, json.dumps({"path": str(path)} | settings)], env=environment, text=True, **pipes)


def draw(_):
    """Return the figure."""
    with tempfile.TemporaryDirectory() as folder:
        first, second = results(*two_workers(start, Path(folder), loss="mean", epochs=EPOCHS))
    weights, history = one_process("mean", epochs=EPOCHS)
    figure, (curve, gaps) = panels("Training loss", "Weights at the end: largest difference")
    epochs = range(1, EPOCHS + 1)
    curve.plot(epochs, history["loss"], color=PLAIN, linewidth=6, alpha=0.5, label="one process, joined batch")
    curve.plot(epochs, first["history"]["loss"], color=OURS, label="worker 0 of two")
    curve.plot(epochs, second["history"]["loss"], "--", color=THEIRS, label="worker 1 of two")
    curve.set(xlabel="epoch", ylabel="loss")
    curve.legend(fontsize=8)
    pairs = {"worker 0 and worker 1": second["weights"], "worker 0 and one process": weights}
    for place, (name, others) in enumerate(pairs.items()):
        gap = max(np.abs(np.float32(a) - np.float32(b)).max() for a, b in zip(first["weights"], others, strict=True))
        print(f"{name}: {gap:.3g}", flush=True)
        gaps.plot([place], [gap], "o", color=OURS)
        gaps.annotate(f"{gap:.2g}", (place, gap), (6, 6), textcoords="offset points", fontsize=9)
    gaps.set_xticks(range(2), pairs)
    gaps.set_yscale("symlog", linthresh=1e-8)
    gaps.set(xlim=(-0.5, 1.5), ylim=(-2e-9, 1e-4))
    return figure
