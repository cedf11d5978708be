"""How long the training step waits for its data."""

import time
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from unitools.core.checks import fail


class DataWait:
    """Takes each batch out of the data itself, by the clock, and hands it to the step, from `attach` to `end`.

    Keras takes the batch inside its training function, where no callback can see when it came. The step that is run is
    the same function of the same batch.

    Args:
        model: A compiled model, whose `fit` has begun.

    Raises:
        ValueError: The model runs several steps a call, of which only the first one's data could be timed.
    """

    def __init__(self, model: keras.Model):
        if model.steps_per_execution != 1:
            fail("steps_per_execution", model.steps_per_execution, "1 for the wait for data to be measured",
                 "Use Throughput(data_wait=False).")  # fmt: skip
        self.seconds = 0.0
        self._model, self._function, self._timed = model, None, None

    def attach(self) -> None:
        """Time the steps to come. Called before each step, since another callback may make the function anew."""
        if self._timed is None or self._model.train_function is not self._timed:
            self._function = self._model.train_function
            self._model.train_function = self._timed = _timed(self._function, self._add)

    def end(self) -> None:
        """Give the model its own training function back, unless it has another one by now."""
        if self._timed is not None and self._model.train_function is self._timed:
            self._model.train_function = self._function

    def _add(self, seconds):
        self.seconds += seconds


def _timed(function: Callable, add: Callable) -> Callable:
    def step(iterator: Any) -> Any:
        if not isinstance(iterator, (tf.data.Iterator, tf.distribute.DistributedIterator)):
            return function(iterator)
        began = time.perf_counter()
        batch = next(iterator)
        add(time.perf_counter() - began)
        return function([batch])

    return step
