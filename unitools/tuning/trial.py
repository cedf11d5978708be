"""A trial, in its own process."""

# Nothing here imports unitools.core, and so neither Keras nor TensorFlow: a trial that needs them brings them itself.

import json
import os
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any


class Trial:
    """What `build(settings, trial)` is given beside the settings.

    Made by the search, in the process of the trial.

    Args:
        job: What the search tells the trial.
        connection: Where the trial tells what it finds. None: nowhere.

    Attributes:
        number: Number of the trial, from 0.
        seed: Seed of its own, from the search's seed and the number.
        folder: Folder of its own, which exists. It is kept for the best trials.
        objective: Name of the score that counts.
        direction: "max" or "min".
        epochs: Epoch at which training is to end where the engine decides (Hyperband), else None.
        initial_epoch: Epoch from which it goes on. Without Hyperband 0.
        source: Folder of the trial whose weights it is to begin with, or None.
        pruned: Whether the search has asked to stop.
    """

    def __init__(self, job: dict[str, Any], connection: Connection | None = None):
        self.number, self.seed = job["number"], job["seed"]
        self.folder = Path(job["folder"])
        self.objective, self.direction = job["objective"], job["direction"]
        self.epochs, self.initial_epoch = job["epochs"], job["initial_epoch"]
        self.source = None if job["source"] is None else Path(job["source"])
        self.pruned, self.best, self._step = False, None, 0
        self._connection, self._answers = connection, SimpleQueue()
        if connection is not None:
            threading.Thread(target=self._listen, daemon=True).start()

    @property
    def weights(self) -> Path:
        """Where the callback keeps the weights of the best epoch."""
        return self.folder / "best.weights.h5"

    def callbacks(self) -> list:
        """Return the callbacks for `fit`: they report each epoch, end the trial if asked to, keep the best weights."""
        from unitools.tuning.report_trial import ReportTrial

        callback = ReportTrial(self.objective, direction=self.direction, weights=str(self.weights))
        callback.trial = self
        return [callback]

    def report(self, value: float, step: int | None = None) -> bool:
        """Tell the search how far the trial is, and return whether it should end now, since it falls behind.

        Args:
            value: The objective so far.
            step: Step or epoch, from 0. Default None: the one after the last.
        """
        step = self._step if step is None else int(step)
        value, self._step = float(value), step + 1
        if value == value and (self.best is None or (value > self.best) == (self.direction == "max")):
            self.best = value
        if self._connection is not None:
            self.send({"kind": "report", "step": step, "value": value})
            self.pruned = self._answers.get()["stop"] or self.pruned
        return self.pruned

    def send(self, message: dict[str, Any]) -> None:
        """Send the search a message."""
        self._connection.send_bytes(json.dumps(message).encode())

    def _listen(self):
        """Take the answers, and end this process when the search has died: it would be run again elsewhere."""
        try:
            while True:
                self._answers.put(json.loads(self._connection.recv_bytes()))
        except (EOFError, OSError):
            os._exit(1)
