"""The learning rate of a model's optimizer, lowered whether it is a number or follows a schedule."""

from collections.abc import Sequence

import keras
import numpy as np

from unitools.callbacks.scaled_schedule import ScaledSchedule


class RateScale:
    """Lowers the learning rates of a model's optimizer, and of those inside it.

    A schedule is wrapped in a `ScaledSchedule` at once, and the model's training function made anew for it.

    Args:
        model: A compiled model.

    Raises:
        ValueError: The model has no optimizer, or one whose rate is a function, which nothing can scale.
    """

    def __init__(self, model: keras.Model):
        self._optimizers = _optimizers(model.optimizer)
        for optimizer in self._optimizers:
            _check(optimizer)
        bare = [optimizer for optimizer in self._optimizers if _is_bare_schedule(optimizer._learning_rate)]
        with model.distribute_strategy.scope():
            for optimizer in bare:
                optimizer.learning_rate = ScaledSchedule(optimizer._learning_rate)
        if bare:
            model.make_train_function(force=True)

    def rates(self) -> list[float]:
        """Return the rate of the next step of each optimizer."""
        return [float(optimizer.learning_rate) for optimizer in self._optimizers]

    def scales(self) -> list[float]:
        """Return the number that each schedule is multiplied by; where the rate is a number, the rate."""
        return [_scale(optimizer) for optimizer in self._optimizers]

    def set_scales(self, scales: Sequence[float]) -> None:
        """Go back to what `scales` returned."""
        for optimizer, scale in zip(self._optimizers, scales, strict=True):
            _set_scale(optimizer, scale)

    def lower(self, factor: float, floor: float = 0.0) -> bool:
        """Multiply each rate by a factor, and return whether there was one to lower.

        Args:
            factor: The factor, in (0, 1).
            floor: No rate of the next step falls below it by this, >= 0. One that is there already stays.
        """
        lowered = False
        for optimizer, rate in zip(self._optimizers, self.rates(), strict=True):
            if rate > np.float32(floor):
                share = max(factor, floor / rate)
                _set_scale(optimizer, _scale(optimizer) * share)
                lowered = True
        return lowered


def _optimizers(optimizer):
    """Return the optimizers that step, out of those that only hold others."""
    if optimizer is None:
        raise ValueError("The model must be compiled with an optimizer. Received None. Give `compile` one.")
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        return _optimizers(inner)
    several = getattr(optimizer, "optimizers", None)
    return [leaf for one in several for leaf in _optimizers(one)] if several else [optimizer]


def _check(optimizer):
    rate = optimizer._learning_rate
    if not isinstance(rate, (keras.Variable, keras.optimizers.schedules.LearningRateSchedule)):
        raise ValueError(
            "The optimizer's `learning_rate` must be a number or a learning rate schedule, so that it can be lowered. "
            f"Received learning_rate={rate!r}. Derive from keras.optimizers.schedules.LearningRateSchedule, or use "
            "ut.training.WarmupDecay."
        )


def _is_bare_schedule(rate):
    return not isinstance(rate, (keras.Variable, ScaledSchedule))


def _scale(optimizer):
    rate = optimizer._learning_rate
    return rate.scale if isinstance(rate, ScaledSchedule) else float(rate)


def _set_scale(optimizer, scale):
    rate = optimizer._learning_rate
    if isinstance(rate, ScaledSchedule):
        rate.scale = scale
    else:
        rate.assign(scale)
