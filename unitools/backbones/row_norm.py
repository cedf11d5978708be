"""Layer normalization with a gradient of its own."""

from typing import Any

import keras
from keras import ops


class RowNorm(keras.layers.LayerNormalization):
    """Keras' `LayerNormalization` over the last axis, with a gradient in closed form.

    Why: derived step by step, the gradients of a norm are 80 operations. Two norms a block made up almost half of the
    operations that training an encoder traces and runs; in closed form they are 20.

    Args:
        **kwargs: Those of `keras.layers.LayerNormalization`; `axis` must stay as it is.

    Call arguments:
        inputs: Features.

    Input shape:
        `(..., features)`.

    Output shape:
        The input's.

    Example:
    >>> import numpy
    >>> from unitools.backbones.row_norm import RowNorm
    >>> numpy.round(RowNorm()(numpy.array([[1.0, 3.0]], "float32")), 2).tolist()
    [[-1.0, 1.0]]

    Source:
        Ba et al. 2016, https://arxiv.org/abs/1607.06450.
    """

    def call(self, inputs: Any) -> Any:
        """Return the normed features. The arithmetic is in float32."""
        gamma, beta = (ops.cast(ops.convert_to_tensor(variable), "float32") for variable in (self.gamma, self.beta))
        return ops.cast(self._normed(ops.cast(inputs, "float32"), gamma, beta), self.compute_dtype)

    def _normed(self, inputs, gamma, beta):
        @ops.custom_gradient
        def norm(inputs, gamma, beta):
            centred = inputs - ops.mean(inputs, axis=-1, keepdims=True)
            scale = ops.rsqrt(ops.mean(ops.square(centred), axis=-1, keepdims=True) + self.epsilon)
            unit = centred * scale

            def gradients(upstream):
                others = tuple(range(len(upstream.shape) - 1))
                inner = upstream * gamma
                along = ops.mean(inner * unit, axis=-1, keepdims=True)
                rows = (inner - ops.mean(inner, axis=-1, keepdims=True) - unit * along) * scale
                return rows, ops.sum(upstream * unit, axis=others), ops.sum(upstream, axis=others)

            return unit * gamma + beta, gradients

        return norm(inputs, gamma, beta)
