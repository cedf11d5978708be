"""Outputs as an integer runtime will hand them on."""

from typing import Any

import keras
import tensorflow as tf

from unitools.core.checks import check_integer, check_number
from unitools.core.component import register
from unitools.regularization.layer_wrapper import LayerWrapper


@register
class QuantizedOutput(LayerWrapper):
    """Rounds what a layer gives out to 2^bits levels between the smallest and the largest value seen in training.

    The range follows the batches of training by a moving average, whose start is corrected, and stands still at
    inference; it holds 0, which is one of the levels. Before the first step nothing is rounded. Gradients pass where
    the value lies in the range, and are 0 outside.

    Args:
        layer: Any layer of one output.
        bits: Bits of a value, 2 to 16. Default 8.
        momentum: Share of the old range that a step keeps, in [0, 1). Default 0.99.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: What the layer takes.
        mask: The mask of the inputs, for layers that take one. Keras passes it on by itself.
        training: Whether to follow the range. Default False.

    Input shape:
        The layer's.

    Output shape:
        The layer's.

    Raises:
        ValueError: An argument is out of range.

    Example:
    >>> layer = ut.regularization.QuantizedOutput(keras.layers.ReLU(), bits=2)
    >>> _ = layer(np.array([[0.0, 3.0]], "float32"), training=True)  # levels 0, 1, 2, 3
    >>> layer(np.array([[0.4, 1.6, 9.0]], "float32")).numpy().round(5).tolist()
    [[0.0, 2.0, 3.0]]

    Source:
        Jacob et al. 2018, https://arxiv.org/abs/1712.05877, section 3.1.
    """

    def __init__(self, layer: keras.layers.Layer, *, bits: int = 8, momentum: float = 0.99, **kwargs: Any):
        super().__init__(layer, **kwargs)
        self.bits = check_integer("bits", bits, 2, 16)
        self.momentum = check_number("momentum", momentum, 0, 1, open_high=True)

    def build(self, input_shape: tuple) -> None:
        """Build the layer and the range."""
        super().build(input_shape)
        options = {"shape": (), "initializer": "zeros", "dtype": "float32", "trainable": False, "autocast": False}
        self._low, self._high = self.add_weight(name="low", **options), self.add_weight(name="high", **options)
        self._share = self.add_weight(name="share", **options)  # of the averages that is not the zero they began with

    def call(self, inputs: Any, mask: Any = None, training: bool = False) -> Any:
        """Return the layer's outputs, rounded."""
        outputs = self.inner(inputs, mask)
        values = tf.cast(outputs, tf.float32)
        if training and self.trainable:
            self._follow(values)
        share = tf.convert_to_tensor(self._share.value)
        seen = tf.where(share > 0, share, 1.0)
        low = tf.minimum(self._low.value / seen, 0.0)
        high = tf.maximum(self._high.value / seen, 0.0)
        high = tf.where(high > low, high, low + 1.0)  # a range of no width has no levels
        rounded = tf.quantization.fake_quant_with_min_max_vars(
            values, tf.stop_gradient(low), tf.stop_gradient(high), num_bits=self.bits
        )
        return tf.cast(tf.where(share > 0, rounded, values), outputs.dtype)

    def _follow(self, values):
        new = ((self._low, tf.reduce_min(values)), (self._high, tf.reduce_max(values)), (self._share, 1.0))
        for variable, value in new:
            variable.assign(self.momentum * variable.value + (1 - self.momentum) * tf.stop_gradient(value))
