"""Kernels of bounded spectral norm."""

from typing import Any

import keras
import numpy as np
from keras import ops

from unitools.core.checks import check_integer, check_number
from unitools.core.component import register
from unitools.regularization.kernel_wrapper import KernelWrapper, check_one_matrix, full_precision, output_axis

# From a random start this many mostly find the norm to 0.2 %, also where the second singular value is near the first.
_FIRST_ITERATIONS = 100


@register
class SpectralNormalization(KernelWrapper):
    """Divides a layer's kernel by its largest singular value, so that the layer enlarges no difference of inputs.

    Bounds how much a net reacts to small changes of its inputs: for discriminators, and for scores that should fall
    off away from the training data. The singular value is followed by power iteration from step to step.

    The kernel itself is not overwritten, at training or at inference, and gradients count the division in. Keras' layer
    of this name writes the divided kernel over the old one at every training step: frozen kernels too, and those that
    another model shares.

    Args:
        layer: A dense or convolutional layer, transposed or not.
        bound: The spectral norm to give the kernel, > 0. Default 1. That of a convolution's kernel as a matrix of
            (height x width x inputs, outputs), which bounds the convolution's own only up to the kernel's size.
        power_iterations: Iterations a training step, >= 1. Default 1.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: What the layer takes.
        mask: The mask of the inputs, for layers that take one. Keras passes it on by itself.
        training: Whether to iterate. Default False.

    Input shape:
        The layer's.

    Output shape:
        The layer's.

    Raises:
        ValueError: An argument is out of range, or the layer is of another kind.

    Example:
    >>> layer = ut.regularization.SpectralNormalization(keras.layers.Dense(3, use_bias=False))
    >>> matrix = layer(np.eye(5, dtype="float32")).numpy()
    >>> round(float(np.linalg.svd(matrix)[1].max()), 2)
    1.0

    Source:
        Miyato et al. 2018, https://arxiv.org/abs/1802.05957, algorithm 1.
    """

    def __init__(self, layer: keras.layers.Layer, *, bound: float = 1.0, power_iterations: int = 1, **kwargs: Any):
        check_one_matrix(layer)
        super().__init__(layer, **kwargs)
        self.bound = check_number("bound", bound, 0, open_low=True)
        self.power_iterations = check_integer("power_iterations", power_iterations, 1)

    def build(self, input_shape: tuple) -> None:
        """Build the layer, and find the direction of its kernel's largest singular value."""
        super().build(input_shape)
        (kernel,) = self.kernels()

        def direction(shape, dtype=None):
            start = ops.convert_to_tensor(np.random.default_rng(0).normal(size=shape), dtype=dtype)
            return _iterated(self._matrix(full_precision(kernel)), _unit(start), _FIRST_ITERATIONS)[0]

        units = kernel.shape[output_axis(self.layer)]
        self._direction = self.add_weight(
            shape=(units,), initializer=direction, dtype=kernel.dtype, trainable=False, name="direction"
        )

    def transform(self, number: int, kernel: Any, training: bool) -> Any:
        """Return the kernel with the spectral norm `bound`."""
        matrix = self._matrix(kernel)
        still = ops.stop_gradient(matrix)
        outputs = full_precision(self._direction)
        moves = training and self.trainable
        outputs, inputs = _iterated(still, outputs, self.power_iterations if moves else 0)
        if moves:
            self._direction.assign(outputs)
        norm = ops.sum(inputs * ops.matmul(matrix, outputs[:, None])[:, 0])
        return kernel * (self.bound / ops.maximum(norm, 1e-12))

    def _matrix(self, kernel):
        """Return the kernel as a matrix (inputs, outputs)."""
        axis = output_axis(self.layer)
        last = ops.moveaxis(kernel, axis, -1)
        return ops.reshape(last, (-1, kernel.shape[axis]))


def _iterated(matrix, outputs, iterations):
    """Return the left and right directions after so many power iterations."""
    inputs = _unit(ops.matmul(matrix, outputs[:, None])[:, 0])
    for _ in range(iterations):
        outputs = _unit(ops.matmul(inputs[None, :], matrix)[0])
        inputs = _unit(ops.matmul(matrix, outputs[:, None])[:, 0])
    return outputs, inputs


def _unit(vector):
    return vector / ops.maximum(ops.sqrt(ops.sum(ops.square(vector))), 1e-12)
