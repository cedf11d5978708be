"""The learning rate over the steps of a run."""

import math
from typing import Any

import keras
from keras import ops

from unitools.core.checks import check_choice, check_integer, check_number, fail
from unitools.core.component import Component, register

_SHAPES = ("cosine", "linear", None)


class _Schedule(keras.optimizers.schedules.LearningRateSchedule):
    def get_config(self):
        return {}  # Keras' own raises; Component adds the arguments.


@register
class WarmupDecay(Component, _Schedule):
    """Raises the learning rate linearly from 0, then lowers it along a cosine or a line, or keeps it.

    Warm-up keeps the first steps small, while Adam's moment estimates are still rough. With s counted from 0 for the
    first step, the rate is peak (s + 1) / warmup_steps while s < warmup_steps, so that the first step already moves.
    After it, with t = (s - warmup_steps) / (steps - warmup_steps) held at 1 from `steps` on, the rate is
    end + (peak - end) f(t), where f(t) is (1 + cos(pi t)) / 2, or 1 - t, or 1, and end = peak * end_fraction.

    Args:
        learning_rate: The peak, > 0.
        steps: Optimizer steps of the whole run, warm-up included, > `warmup_steps`. Default None, which `decay=None`
            needs and no other.
        warmup_steps: Steps of warm-up, >= 0. Default 0.
        decay: "cosine" (default), "linear" or None: constant after the warm-up.
        end_fraction: The rate at the end as a share of the peak, in [0, 1]. Default 0.

    Call arguments:
        step: Number of the step, from 0: an integer or a scalar tensor.

    Raises:
        ValueError: An argument is out of range, or a decay has no `steps` to run over.

    Example:
    >>> import unitools as ut
    >>> rate = ut.training.WarmupDecay(0.1, steps=12, warmup_steps=2, decay="linear")
    >>> [round(float(rate(step)), 3) for step in (0, 1, 2, 7, 12)]
    [0.05, 0.1, 0.1, 0.05, 0.0]

    Source:
        Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983, equation 5, without restarts.
    """

    def __init__(
        self,
        learning_rate: float,
        *,
        steps: int | None = None,
        warmup_steps: int = 0,
        decay: str | None = "cosine",
        end_fraction: float = 0.0,
    ):
        self.learning_rate = check_number("learning_rate", learning_rate, 0, open_low=True)
        self.warmup_steps = check_integer("warmup_steps", warmup_steps, 0)
        self.decay = check_choice("decay", decay, _SHAPES)
        self.end_fraction = check_number("end_fraction", end_fraction, 0, 1)
        advice = "Give the number of optimizer steps of the run: epochs times batches an epoch."
        self.steps = None if steps is None else check_integer("steps", steps, 1, advice=advice)
        if decay is not None and steps is None:
            fail("steps", steps, f"given for decay={decay!r}", advice + " Or use decay=None.")
        if decay is not None and steps <= warmup_steps:
            fail("steps", steps, f"more than warmup_steps={warmup_steps}", "Shorten the warm-up, or train longer.")

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of one step."""
        step = ops.cast(step, "float32")
        rate = self.learning_rate * (self.end_fraction + (1 - self.end_fraction) * self._remaining(step))
        if not self.warmup_steps:
            return rate
        rising = self.learning_rate * (step + 1) / self.warmup_steps
        return ops.where(step < self.warmup_steps, rising, rate)

    def _remaining(self, step):
        """Return f(t)."""
        if self.decay is None:
            return ops.ones_like(step)
        share = ops.clip((step - self.warmup_steps) / (self.steps - self.warmup_steps), 0.0, 1.0)
        return 1 - share if self.decay == "linear" else (1 + ops.cos(math.pi * share)) / 2
