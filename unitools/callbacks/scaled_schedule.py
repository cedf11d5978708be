"""A learning rate schedule that can be lowered while it runs."""

from typing import Any

import keras

from unitools.core.checks import check_number, fail
from unitools.core.component import Component, register


class _Schedule(keras.optimizers.schedules.LearningRateSchedule):
    def get_config(self):
        return {}  # Keras' own raises; Component adds the arguments.


@register
class ScaledSchedule(Component, _Schedule):
    """Multiplies another schedule by a number that can be changed between two steps of a compiled training graph.

    Keras lets no callback change the rate of an optimizer that has a schedule. `ReduceLROnPlateau` and `NanGuard` put
    this around it, and lower the number. It stays there after training, and is part of a saved model.

    Args:
        schedule: The schedule, a `keras.optimizers.schedules.LearningRateSchedule`.
        scale: What to multiply it by, >= 0. Default 1. May be assigned at any time.

    Call arguments:
        step: Number of the step, from 0.

    Raises:
        ValueError: `schedule` is no schedule, or `scale` out of range.

    Example:
    >>> rate = ut.callbacks.ScaledSchedule(ut.training.WarmupDecay(0.1, steps=10, decay="linear"))
    >>> rate.scale = 0.5
    >>> round(float(rate(2)), 3)
    0.04
    """

    def __init__(self, schedule: keras.optimizers.schedules.LearningRateSchedule, *, scale: float = 1.0):
        if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
            advice = "For instance ut.training.WarmupDecay(1e-3, steps=1000)."
            fail("schedule", schedule, "a Keras learning rate schedule", advice)
        self.schedule = schedule
        self._value = check_number("scale", scale, 0)
        # A variable, so that a graph that was traced before sees the change.
        self._variable = keras.Variable(self._value, trainable=False, dtype="float32", name="rate_scale",
                                        aggregation="only_first_replica")  # fmt: skip

    @property
    def scale(self) -> float:
        """What the schedule is multiplied by."""
        return self._value

    @scale.setter
    def scale(self, value: float) -> None:
        self._value = check_number("scale", value, 0)
        self._variable.assign(self._value)

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of one step."""
        return self.schedule(step) * self._variable.value
