"""AdamW whose rate and weight decay differ from variable to variable."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from unitools.core.checks import check_number, fail
from unitools.core.component import Component, register


@register
class LayerwiseAdamW(Component, keras.optimizers.AdamW):
    """Steps as AdamW does, with a share of the learning rate and a choice of weight decay for each variable.

    Use it where a pretrained net should move less near its input than near its new head, and where biases and norms
    should not decay. Keras keeps `exclude_from_weight_decay` out of the config, so a reloaded model decays everything;
    here both lists are part of the config. `ut.training.compile` fills them in.

    With rate r, variable x, its share m and weight decay w, a step is x -= r m w x if x decays, then Adam's step with
    the rate r m.

    A variable's step is one operation, TensorFlow's `ResourceApplyAdam`, which computes what Keras' Adam does in a
    dozen: a training graph has a third fewer operations to trace, and each moment is read and written once.

    Args:
        learning_rate: Peak rate or schedule. Default 0.001.
        weight_decay: Weight decay w, >= 0. Default 0.01.
        rate_shares: Share m of each trainable variable, in the order of `model.trainable_variables`, >= 0. Default
            None: all 1.
        decayed: Whether each trainable variable decays, in the same order. Default None: those with two axes or more.
        **kwargs: Those of `keras.optimizers.AdamW`: `beta_1`, `beta_2`, `epsilon`, `global_clipnorm`, ...

    Raises:
        ValueError: An argument is out of range, or the lists do not fit the model's trainable variables.

    Example:
    >>> import keras, numpy
    >>> import unitools as ut
    >>> near, far = keras.Variable(numpy.ones((1, 1))), keras.Variable(numpy.ones((1, 1)))
    >>> optimizer = ut.training.LayerwiseAdamW(0.1, weight_decay=0.0, rate_shares=[0.5, 1.0])
    >>> optimizer.apply([numpy.ones((1, 1), "float32")] * 2, [near, far])
    >>> round(float(near[0, 0]), 3), round(float(far[0, 0]), 3)
    (0.95, 0.9)

    Source:
        AdamW: Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101. Layer-wise rates: Howard and Ruder 2018,
        https://arxiv.org/abs/1801.06146, section 3.2.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        *,
        weight_decay: float = 0.01,
        rate_shares: Sequence[float] | None = None,
        decayed: Sequence[bool] | None = None,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, weight_decay=check_number("weight_decay", weight_decay, 0), **kwargs)
        self.rate_shares = None if rate_shares is None else _shares(rate_shares)
        self.decayed = None if decayed is None else tuple(bool(decays) for decays in decayed)

    def build(self, variables: list) -> None:
        """Make the moments for these variables."""
        if self.built:
            return
        for name in ("rate_shares", "decayed"):
            values = getattr(self, name)
            if values is not None and len(values) != len(variables):
                fail(name, f"{len(values)} values", f"one value for each of the {len(variables)} trainable variables",
                     "After freezing or unfreezing layers, call unitools.training.compile again.")  # fmt: skip
        super().build(variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Decay and step one variable."""
        index = self._get_variable_index(variable)
        rate = ops.cast(learning_rate, variable.dtype)
        if self.rate_shares is not None:
            rate = rate * self.rate_shares[index]
        decays = len(variable.shape) > 1 if self.decayed is None else self.decayed[index]
        if decays and self.weight_decay:
            self.assign_sub(variable, variable * (rate * self.weight_decay))
        if self.amsgrad:  # TensorFlow has no operation for it
            super().update_step(gradient, variable, rate)
        else:
            self._apply_adam(gradient, variable, rate, self._momentums[index], self._velocities[index])

    def _apply_adam(self, gradient, variable, rate, momentum, velocity):
        numbers = (self.beta_1, self.beta_2, self.epsilon)
        beta_1, beta_2, epsilon = (ops.cast(number, variable.dtype) for number in numbers)
        step = ops.cast(self.iterations + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=_handle(variable),
            m=_handle(momentum),
            v=_handle(velocity),
            beta1_power=beta_1**step,
            beta2_power=beta_2**step,
            lr=rate,
            beta1=beta_1,
            beta2=beta_2,
            epsilon=epsilon,
            grad=ops.cast(gradient, variable.dtype),
        )

    def _apply_weight_decay(self, variables):
        # Keras decays all variables at one rate before the step; `update_step` has the variable's own.
        pass


def _handle(variable):
    """Return the handle of what a Keras variable, or TensorFlow's, holds on this device."""
    variable = variable.value if isinstance(variable, keras.Variable) else variable
    return variable.handle


def _shares(rate_shares):
    shares = tuple(float(share) for share in rate_shares)
    if not all(0 <= share < math.inf for share in shares):
        fail("rate_shares", rate_shares, "numbers >= 0", "1 is the full rate, 0 keeps a variable as it is.")
    return shares
