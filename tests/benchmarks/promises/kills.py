"""Two runs that are killed by SIGKILL again and again: how far each of them gets."""

import json
import subprocess
import sys

from tests.benchmarks.promises.picture import OURS, THEIRS, panels


def killed(how, kills):
    """Return what `tests.callbacks.killed_runs` prints."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.callbacks.killed_runs", how, str(kills)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    print({name: value for name, value in found.items() if name not in ("steps", "errors")}, flush=True)
    return found


def draw(given):
    """Return the figure."""
    figure, (axes,) = panels(f"{given.kills} times SIGKILL, most of them during a save; saved every 2 steps")
    for how, color, name in (("exact", OURS, "ExactResume"), ("keras", THEIRS, "Keras BackupAndRestore")):
        found = killed(how, given.kills)
        points = [(number, steps[-1]) for number, steps in enumerate(found["steps"], 1) if steps]
        lost = found["could not go on"]
        axes.step(*zip(*points, strict=True), color=color, where="post", label=f"{name}: {lost} could not go on")
    axes.set(xlabel="kill", ylabel="step reached")
    axes.legend(fontsize=8)
    return figure
