"""What of one pass over data is done, and how fast."""

import time

import keras

from unitools.callbacks.counted_examples import counted_examples


class ProgressPhase:
    """Counts the steps of one pass over training, validation or other data, and measures their pace.

    The first step is left out of the pace, since TensorFlow traces the graph in it.

    Args:
        title: What is shown first.
        total: Number of steps, None where it is not known.
        model: The model, whose loss counts the examples.
        seconds: Time that the pass took before this process went on with it, >= 0. Default 0.
    """

    def __init__(self, title: str, total: int | None, model: keras.Model, seconds: float = 0.0):
        self.title = title
        self.total = total
        self.steps = 0
        self.logs = {}
        self._model = model
        self._began = time.perf_counter() - seconds
        self._first = None

    def advance(self, steps: int, logs: dict | None) -> None:
        """Note that so many steps are done, with these logs."""
        self.steps, self.logs = steps, dict(logs or {})
        if self._first is None:
            self._first = (steps, counted_examples(self._model), time.perf_counter())

    @property
    def seconds(self) -> float:
        """Time since the beginning."""
        return time.perf_counter() - self._began

    @property
    def seconds_left(self) -> float | None:
        """Time that the steps to come take at this pace, None where it cannot be told yet."""
        pace = self._per_second(0)
        return None if self.total is None or pace is None else max(self.total - self.steps, 0) / pace

    @property
    def examples_per_second(self) -> float | None:
        """Examples a second, None where the model does not count them, or it cannot be told yet."""
        return self._per_second(1)

    def _per_second(self, which):
        """Return the pace since the first step, in steps (0) or examples (1)."""
        if self._first is None:
            return None
        done = (self.steps, counted_examples(self._model))[which] - self._first[which]
        seconds = time.perf_counter() - self._first[2]
        return done / seconds if done > 0 and seconds > 0 else None
