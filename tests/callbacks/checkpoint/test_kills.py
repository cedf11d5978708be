"""Runs killed at random moments, most of them while a checkpoint is being written."""

import json
import subprocess
import sys

import pytest

from tests.callbacks.killed_runs import EVERY


def killed(kills, signal="KILL"):
    command = [sys.executable, "-W", "ignore", "-m", "tests.callbacks.killed_runs", "exact", str(kills)]
    done = subprocess.run([*command, "--signal", signal], capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("kills", [20, pytest.param(100, marks=pytest.mark.slow)])
def test_sigkill(kills):
    """Each run goes on, no kill costs more than the steps between two checkpoints, and the end is that of no kill."""
    found = killed(kills)
    assert found["kills"] == kills
    assert found["could not go on"] == 0, found["errors"]
    assert found["most steps lost"] <= EVERY
    assert found["same end"]


def test_sigterm():
    """A run that is asked to leave saves first: no step is lost. It is gone within 5 s, the promise."""
    found = killed(4, "TERM")
    assert found["could not go on"] == 0, found["errors"]
    assert found["most steps lost"] == 0
    assert found["slowest exit"] < 5
    assert found["same end"]
