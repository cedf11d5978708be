"""A learning rate that is held by hand."""

from typing import Any

import keras
import tensorflow as tf

from unitools.core.checks import fail


class HeldRate:
    """Takes the learning rate of a model into its hand, past a schedule if there is one, and gives it back.

    A rate that is a plain number is an optimizer variable, and is assigned. A schedule is part of the traced graph: it
    is replaced, and the training function is made anew, now and when the schedule is put back.

    Args:
        model: A compiled model.

    Raises:
        ValueError: The model has several optimizers, or none.
    """

    def __init__(self, model: keras.Model):
        self._model = model
        self._optimizer = innermost_optimizer(model)
        self._own = self._optimizer._learning_rate
        self._held = None
        if not isinstance(self._own, keras.Variable):
            with model.distribute_strategy.scope():
                self._held = _Rate()
            self._put(self._held)

    def set(self, rate: float) -> None:
        """Train at this rate from the next step on."""
        (self._own if self._held is None else self._held.variable).assign(rate)

    def release(self) -> None:
        """Put the schedule back. A plain number stays at the last rate."""
        if self._held is not None and self._optimizer._learning_rate is self._held:
            self._put(self._own)

    def _put(self, schedule):
        self._optimizer.learning_rate = schedule
        self._model.make_train_function(force=True)


class _Rate(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that gives what its variable holds. Keras lets a schedule be replaced by a schedule only."""

    def __init__(self):
        self.variable = tf.Variable(0.0, trainable=False, dtype="float32")

    def __call__(self, step: Any) -> tf.Tensor:
        return self.variable.read_value()

    def get_config(self) -> dict:
        return {}


def innermost_optimizer(model: keras.Model) -> Any:
    """Return the optimizer that holds the learning rate, which loss scaling wraps into another.

    Raises:
        ValueError: There are several, or none.
    """
    optimizer = getattr(model, "optimizer", None)
    while hasattr(optimizer, "inner_optimizer"):
        optimizer = optimizer.inner_optimizer
    if optimizer is None or hasattr(optimizer, "optimizers"):
        fail("optimizer", optimizer, "one with a learning rate of its own", "Compile the model with one optimizer.")
    return optimizer
