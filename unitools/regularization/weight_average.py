"""Weights averaged over the steps of a fit."""

import contextlib
import math
import warnings
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from unitools.core.checks import check_choice, check_integer, check_number, fail
from unitools.core.component import Component
from unitools.core.scored_weights import validates_with
from unitools.regularization.reestimate_batch_norm import moving_batch_norms, reestimate_batch_norm

_COUNTERS = ("first", "begin", "seen", "count", "last")
_NEVER = -1


class WeightAverage(Component, keras.callbacks.Callback):
    """Averages the weights during `fit`, validates with the average, and leaves it in the model at the end.

    The base class of `ExponentialAverage` and `StochasticAverage`. Override `share`. Steps are those of the optimizer:
    micro-batches whose gradients are only gathered are none, nor are steps that loss scaling has skipped.

    The average covers all weights that learn, those unfrozen on the way from then on. It is taken in a graph, beside
    the training; training itself does not see it. Between validations the model holds its own weights: use
    `with callback.averaged(): model.save(...)` to save the average before the end. `BestWeights` and `EarlyStopping`
    keep the average where they watch a `val_` score, which is its score.

    Args:
        start: Optimizer steps before averaging begins, an integer >= 0; or, as a float in [0, 1), the share of the
            epochs, rounded down to whole ones.
        batch_norm: "average": batch norm statistics are averaged as the weights are. "reestimate": they are taken anew
            from the attribute `data`, at each validation and at the end.

    Attributes:
        data: Batches for `batch_norm="reestimate"`, see `reestimate_batch_norm`. Default None.
    """

    def __init__(self, start: int | float, *, batch_norm: str):
        super().__init__()
        if isinstance(start, float):
            self.start = check_number("start", start, 0, 1, open_high=True, advice="Use an integer for steps.")
        else:
            self.start = check_integer("start", start, 0, advice="Use a float in [0, 1) for a share of the epochs.")
        self.batch_norm = check_choice("batch_norm", batch_norm, ("average", "reestimate"))
        self.data = None
        self._counters = {name: tf.Variable(0, dtype="int64", name=name) for name in _COUNTERS}
        self._averages, self._kept, self._advance = {}, None, None
        self._fitting = self._looked = False

    def share(self, step: Any, passed: Any, count: Any) -> Any:
        """Return the share of the present weights in the new average, a tensor in [0, 1]; 0: leave it as it is.

        Args:
            step: Optimizer steps since averaging began, an int64 tensor >= 1.
            passed: Steps since the last call, 1 but for `steps_per_execution`.
            count: How often weights entered the average; 0: there is none yet, and what enters becomes it.
        """
        raise NotImplementedError

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Forget the fit before."""
        self._put_back()
        if self.batch_norm == "reestimate" and self.data is None and moving_batch_norms(self.model):
            fail("data", None, 'set for batch_norm="reestimate"', "callback.data = a Dataset of some training batches.")
        self._fitting, self._averages, self._advance = True, {}, None
        now = int(self.model.optimizer.iterations.numpy())
        begin = self.start if isinstance(self.start, int) else _NEVER
        self._count(first=now, begin=begin, seen=0, count=0, last=0)
        validates_with(self.model, self.averaged)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Begin to average, where `start` is a share."""
        waits = int(self._counters["begin"].numpy()) == _NEVER
        if waits and epoch >= math.floor(self.start * self.params["epochs"] + 1e-9):  # 0.29 * 100 is 28.99...
            self._count(begin=int(self._counters["seen"].numpy()))
        self._looked = False

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Look once an epoch for weights that have begun to learn, after all callbacks have begun it."""
        if not self._looked:
            self._follow()
            self._looked = True

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Let the weights enter the average, if the optimizer has made a step."""
        self._advance = self._advance or tf.function(self._take_step)
        self._advance()

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Validate with the average."""
        if self._fitting:
            self._put_in()

    def on_test_end(self, logs: dict | None = None) -> None:
        """Go on with the model's own weights."""
        self._put_back()

    def on_train_end(self, logs: dict | None = None) -> None:
        """Leave the average in the model."""
        self._fitting = False
        if not int(self._counters["count"].numpy()):
            text = f"{type(self).__name__} averaged no weights: fit ended before start={self.start}. Train longer."
            warnings.warn(text, stacklevel=2)
        self._put_in()
        self._kept = None

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """Let the model hold the average within the block, to save or evaluate it in the course of a fit."""
        self._put_in()
        try:
            yield
        finally:
            self._put_back()

    def get_state(self) -> dict[str, int]:
        """Return the counts of steps."""
        return {name: int(counter.numpy()) for name, counter in self._counters.items()}

    def set_state(self, state: dict[str, int]) -> None:
        """Go on from what `get_state` returned."""
        self._count(**{name: state[name] for name in _COUNTERS})

    def get_arrays(self) -> dict[str, np.ndarray]:
        """Return the averages, by the place of the weight in `model.weights`."""
        return {str(place): average.numpy() for place, average in self._averages.items()}

    def set_arrays(self, arrays: dict[str, np.ndarray]) -> None:
        """Take the averages back."""
        self._averages = {int(place): tf.Variable(array, trainable=False) for place, array in arrays.items()}
        self._advance = None

    def _count(self, **values):
        for name, value in values.items():
            self._counters[name].assign(value)

    def _follow(self):
        """Begin an average for each weight that learns and has none. So far it has not moved: it is its own average."""
        followed = {id(weight) for weight in self.model.trainable_weights}
        if self.batch_norm == "average":
            followed |= {id(v) for norm in moving_batch_norms(self.model) for v in norm.non_trainable_weights}
        for place, weight in enumerate(self.model.weights):
            if id(weight) in followed and place not in self._averages:
                dtype = "float64" if weight.dtype == "float64" else "float32"
                self._averages[place] = tf.Variable(tf.cast(weight.value, dtype), trainable=False)
                self._advance = None

    def _take_step(self):
        first, begin, seen, count, _ = (self._counters[name] for name in _COUNTERS)
        now = tf.cast(self.model.optimizer.iterations, "int64") - first
        step = now - begin
        active = (now > seen) & (begin >= 0) & (step >= 1)
        share = tf.cast(self.share(tf.maximum(step, 1), tf.maximum(now - seen, 1), count), "float32")
        tf.cond(active & (share > 0), lambda: self._mix(share), lambda: tf.constant(0))
        seen.assign(now)

    def _mix(self, share):
        """Let the weights enter by their share; the first replace what is there."""
        count = self._counters["count"]
        for average, weight in self._pairs():
            value = tf.cast(weight.value, average.dtype)
            mixed = average + tf.cast(share, average.dtype) * (value - average)
            average.assign(tf.where(tf.equal(count, 0), value, mixed))
        count.assign_add(1)
        return tf.constant(0)

    def _pairs(self):
        weights = self.model.weights
        return [(average, weights[place]) for place, average in self._averages.items()]

    def _put_in(self):
        if self._kept is not None or not int(self._counters["count"].numpy()):
            return
        norms = moving_batch_norms(self.model) if self.batch_norm == "reestimate" else []
        changed = [weight for _, weight in self._pairs()] + [v for norm in norms for v in norm.non_trainable_weights]
        self._kept = [(weight, tf.identity(weight.value)) for weight in changed]
        for average, weight in self._pairs():
            weight.assign(tf.cast(average, weight.dtype))
        if norms:
            reestimate_batch_norm(self.model, self.data)

    def _put_back(self):
        for weight, value in self._kept or ():
            weight.assign(value)
        self._kept = None
