"""Kernels as an integer runtime will hold them."""

from typing import Any

import keras
from keras import ops

from unitools.core.checks import check_integer
from unitools.core.component import register
from unitools.regularization.kernel_wrapper import DEPTHWISE, OUTPUT_AXIS, KernelWrapper, check_one_matrix, input_axes

KERNEL_LAYERS = (*OUTPUT_AXIS, *DEPTHWISE)


@register
class QuantizedKernel(KernelWrapper):
    """Computes with the layer's kernel rounded to integers, at training and at inference: quantization-aware training.

    The weights of each output are a scale times integers in [-(2^(bits-1) - 1), 2^(bits-1) - 1], the scale such that
    the largest weight is the largest integer. That is how LiteRT stores them, and a batch norm behind the layer, which
    LiteRT multiplies into the kernel, does not change the rounding. The kernel itself stays in full precision and is
    trained by the gradient that the rounded one gets.

    Args:
        layer: A dense or convolutional layer, transposed or depthwise too.
        bits: Bits of a weight, 2 to 16. Default 8.
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
        ValueError: `bits` is out of range, or the layer is of another kind.

    Example:
    >>> layer = ut.regularization.QuantizedKernel(keras.layers.Dense(1, use_bias=False), bits=3)
    >>> layer.build((None, 3))
    >>> _ = layer.layer.kernel.assign([[3.0], [1.4], [-0.6]])
    >>> layer(np.eye(3, dtype="float32")).numpy().ravel().tolist()  # 3 bits: -3 to 3
    [3.0, 1.0, -1.0]

    Source:
        Jacob et al. 2018, https://arxiv.org/abs/1712.05877, section 3; Krishnamoorthi 2018,
        https://arxiv.org/abs/1806.08342, for a scale per output.
    """

    def __init__(self, layer: keras.layers.Layer, *, bits: int = 8, **kwargs: Any):
        check_one_matrix(layer, DEPTHWISE)
        super().__init__(layer, **kwargs)
        self.bits = check_integer("bits", bits, 2, 16)

    def transform(self, number: int, kernel: Any, training: bool) -> Any:
        """Return the kernel rounded; its gradient goes to the kernel as it is."""
        most = 2 ** (self.bits - 1) - 1
        largest = ops.max(ops.abs(kernel), axis=input_axes(self.layer, len(kernel.shape)), keepdims=True)
        scale = ops.where(largest > 0, largest, 1.0) / most
        rounded = ops.clip(ops.round(kernel / scale), -most, most) * scale
        return kernel + ops.stop_gradient(rounded - kernel)
