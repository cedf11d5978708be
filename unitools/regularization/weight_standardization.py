"""Kernels of mean 0 and variance 1."""

from typing import Any

import keras
from keras import ops

from unitools.core.checks import check_number, fail
from unitools.core.component import register
from unitools.regularization.kernel_wrapper import DEPTHWISE, KernelWrapper, check_one_matrix, input_axes


@register
class WeightStandardization(KernelWrapper):
    """Gives the weights of each output of a layer mean 0 and variance 1, at training and at inference.

    For convolutions that group or layer norm follows, which then learn as well as with batch norm, at small batches
    too. A norm must follow: the outputs grow with the number of inputs. The kernel itself is not overwritten, and the
    gradients count the standardisation in. A pretrained net gives other outputs afterwards unless a norm with the
    statistics of the batch or the example follows each wrapped layer.

    Args:
        layer: A dense or convolutional layer, transposed or depthwise too, with two inputs an output or more.
        epsilon: What is added to the variance, > 0. Default 1e-10, as in BiT's code.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: What the layer takes.
        mask: The mask of the inputs, for layers that take one. Keras passes it on by itself.
        training: Makes no difference. Default False.

    Input shape:
        The layer's.

    Output shape:
        The layer's.

    Raises:
        ValueError: `epsilon` is out of range, the layer is of another kind, or each of its outputs has one input only.

    Example:
    >>> layer = ut.regularization.WeightStandardization(keras.layers.Dense(3, use_bias=False))
    >>> kernel = layer(np.eye(5, dtype="float32")).numpy()
    >>> bool(np.allclose(kernel.mean(axis=0), 0, atol=1e-6)), bool(np.allclose(kernel.std(axis=0), 1))
    (True, True)

    Source:
        Qiao et al. 2019, https://arxiv.org/abs/1903.10520, equations 6 to 8.
    """

    def __init__(self, layer: keras.layers.Layer, *, epsilon: float = 1e-10, **kwargs: Any):
        check_one_matrix(layer, DEPTHWISE)
        super().__init__(layer, **kwargs)
        self.epsilon = check_number("epsilon", epsilon, 0, open_low=True)

    def build(self, input_shape: tuple) -> None:
        """Build the layer, and check that an output has inputs to average over."""
        super().build(input_shape)
        (kernel,) = self.kernels()
        if all(kernel.shape[axis] == 1 for axis in input_axes(self.layer, len(kernel.shape))):
            fail("layer", self.layer.name, "a layer with two inputs an output or more", "One weight has no variance.")

    def transform(self, number: int, kernel: Any, training: bool) -> Any:
        """Return the standardised kernel."""
        axes = input_axes(self.layer, len(kernel.shape))
        mean = ops.mean(kernel, axis=axes, keepdims=True)
        variance = ops.mean(ops.square(kernel - mean), axis=axes, keepdims=True)
        return (kernel - mean) * ops.rsqrt(variance + self.epsilon)
