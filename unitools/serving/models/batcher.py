"""Requests of one signature, gathered while the model is busy, and run together."""

import collections
import os
import threading
import time
from concurrent.futures import Future

import numpy as np

from unitools.serving.batching import Batching
from unitools.serving.models.predictor import Predictor
from unitools.serving.models.waiting import Waiting
from unitools.serving.request_error import RequestError


class Batcher:
    """Runs the requests of one signature in threads of its own.

    Args:
        predictor: The loaded export.
        signature: Name of the signature.
        batching: Sizes and limits.
        observe: Called with the number of rows of each batch that ran.
    """

    def __init__(self, predictor: Predictor, signature: str, batching: Batching, observe=lambda rows: None):
        self._predictor, self._signature, self._batching, self._observe = predictor, signature, batching, observe
        self._together = batching.max_batch_size > 1 and _batches(predictor, signature)
        self._queue: collections.deque[Waiting] = collections.deque()
        self._rows = 0
        self._closed = False
        self._changed = threading.Condition()
        count = 1 if self._together else os.cpu_count() or 1
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, arrays: dict[str, np.ndarray], deadline: float | None = None) -> Future:
        """Queue checked arrays; return the future of the outputs.

        Args:
            arrays: As `Predictor.check` gives them.
            deadline: `time.monotonic()` after which nobody waits any more.

        Raises:
            RequestError: 503: the queue is full.
        """
        rows = max([array.shape[0] for array in arrays.values() if array.ndim], default=1)
        waiting = Waiting(arrays, max(rows, 1), deadline)
        with self._changed:
            if self._queue and self._rows + waiting.rows > self._batching.queue_limit:
                raise RequestError(503, f"{self._rows} rows wait already. Try again later.", 1.0)
            self._queue.append(waiting)
            self._rows += waiting.rows
            self._changed.notify()
        return waiting.future

    def close(self):
        """Run what waits, and end the threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self):
        while batch := self._next():
            self._run(batch)

    def _next(self):
        """Return the next requests to run together; nothing once closed and empty."""
        with self._changed:
            while not self._queue and not self._closed:
                self._changed.wait()
            if self._together and self._batching.max_wait_ms and not self._closed:
                end = time.monotonic() + self._batching.max_wait_ms / 1000
                while self._rows < self._batching.max_batch_size and (left := end - time.monotonic()) > 0:
                    self._changed.wait(left)
            return self._taken() if self._queue else []

    def _taken(self):
        first = self._queue.popleft()
        batch, rows, shapes = [first], first.rows, first.shapes if self._together else None
        while shapes and self._queue and self._queue[0].shapes == shapes:
            if rows + self._queue[0].rows > self._batching.max_batch_size:
                break
            batch.append(self._queue.popleft())
            rows += batch[-1].rows
        self._rows -= rows
        return batch

    def _run(self, batch):
        batch = [waiting for waiting in batch if _wanted(waiting)]
        if not batch:
            return
        try:
            outputs = self._predictor.run(_joined(batch), self._signature)
        except Exception as error:
            self._run_apart(batch, error)
            return
        rows = sum(waiting.rows for waiting in batch)
        if len(batch) > 1 and any(len(value) != rows for value in outputs.values()):
            # The first axis is free, and is not the rows: nobody can say what is whose.
            self._together = False
            self._run_apart(batch, None)
            return
        self._observe(rows)
        if len(batch) == 1:
            batch[0].future.set_result(outputs)
            return
        start = 0
        for waiting in batch:
            part = slice(start, start + waiting.rows)
            waiting.future.set_result({name: value[part] for name, value in outputs.items()})
            start += waiting.rows

    def _run_apart(self, batch, error):
        """Give a single request its error; run several one by one, so that a bad one fails alone."""
        if len(batch) == 1:
            batch[0].future.set_exception(error)
            return
        for waiting in batch:
            try:
                waiting.future.set_result(self._predictor.run(waiting.arrays, self._signature))
                self._observe(waiting.rows)
            except Exception as own:
                waiting.future.set_exception(own)


def _joined(batch):
    if len(batch) == 1:
        return batch[0].arrays
    return {name: np.concatenate([waiting.arrays[name] for waiting in batch]) for name in batch[0].arrays}


def _wanted(waiting):
    """Return whether somebody still waits; tell those whose time is up."""
    if not waiting.future.set_running_or_notify_cancel():
        return False
    if waiting.deadline is not None and time.monotonic() > waiting.deadline:
        waiting.future.set_exception(RequestError(504, "The time was up before the model was free. Try again.", 1.0))
        return False
    return True


def _batches(predictor, signature):
    """Return whether rows can be put together: a free first axis in every input and output."""
    both = [*predictor.inputs(signature).values(), *predictor.outputs(signature).values()]
    return all(tensor.shape and tensor.shape[0] is None for tensor in both)
