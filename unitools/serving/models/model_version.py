"""One loaded version of a model."""

import threading
from concurrent.futures import Future
from pathlib import Path

import numpy as np

from unitools.serving.batching import Batching
from unitools.serving.models.batcher import Batcher
from unitools.serving.models.predictor import DEFAULT_SIGNATURE, Predictor
from unitools.serving.models.warm_up import warm_up


class ModelVersion:
    """A predictor with its batchers, one a signature, that knows how many requests it still owes an answer.

    Args:
        number: Its version.
        path: Its folder.
        batching: Sizes and limits.
        require_manifest: Refuse a folder without manifest.json.
        observe: Called with the number of rows of each batch that ran.
    """

    def __init__(self, number: int, path: Path, batching: Batching, require_manifest: bool, observe=lambda rows: None):
        self.number = number
        self.predictor = Predictor(path, require_manifest=require_manifest)
        warm_up(self.predictor)
        self._batchers = {name: Batcher(self.predictor, name, batching, observe) for name in self.predictor.signatures}
        self._owed, self._closing = 0, False
        self._idle = threading.Condition()

    def submit(self, arrays: dict[str, np.ndarray], signature: str | None, deadline: float | None) -> Future | None:
        """Queue checked arrays, see `Batcher.submit`; return None where this version was let go meanwhile."""
        with self._idle:
            if self._closing:
                return None
            self._owed += 1
        try:
            future = self._batchers[signature or DEFAULT_SIGNATURE].submit(arrays, deadline)
        except BaseException:
            self._settle(None)
            raise
        future.add_done_callback(self._settle)
        return future

    def _settle(self, _):
        with self._idle:
            self._owed -= 1
            self._idle.notify_all()

    def close(self):
        """Wait until every request has its answer, then let the model go."""
        with self._idle:
            self._closing = True
            while self._owed:
                self._idle.wait()
        for batcher in self._batchers.values():
            batcher.close()
        self._batchers = {}
