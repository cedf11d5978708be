"""From 0-255 pixels to the range that pretrained weights were trained on."""

from collections.abc import Sequence

import keras
from keras import ops

from unitools.core import Component, register
from unitools.core.checks import check_choice, check_number, fail


@register
class Preprocess(Component, keras.layers.Layer):
    """Turns 0-255 RGB pixels into the numbers a pretrained network expects: `(pixels - mean) / std`.

    Weights work only on the range they were trained on, and a wrong range raises no error: the network just predicts
    badly. Every backbone carries the layer its weights need as `backbone.preprocess`; put it between the pixels and the
    backbone. `preprocess_for` builds it from the name of a published convention.

    Args:
        mean: What is subtracted, in 0-255 units, as one number or one a channel of the output order. Defaults to 0.
        std: What the difference is divided by, above 0, as one number or one a channel of the output order.
            Defaults to 1.
        channel_order: `"rgb"` keeps the channels, `"bgr"` reverses them before the mean is subtracted.
            Defaults to `"rgb"`.

    Call arguments:
        inputs: Pixels from 0 to 255, of any integer or float dtype. The arithmetic is done in float32, and the result
            has the layer's compute dtype.
        training: Changes nothing.

    Input shape:
        `(batch, height, width, channels)`, or `(height, width, channels)`.

    Output shape:
        The input's.

    Raises:
        ValueError: An argument is out of range, or has another number of entries than the input has channels.

    Example:
    >>> import numpy as np
    >>> from unitools.backbones import Preprocess
    >>> layer = Preprocess(mean=127.5, std=127.5)
    >>> np.asarray(layer(np.array([[[0, 255, 255]]], "uint8"))).tolist()
    [[[-1.0, 1.0, 1.0]]]

    Source: the `preprocess_input` functions of `keras.applications`. Those write into their argument; this does not.
    """

    def __init__(
        self,
        mean: float | Sequence[float] = 0.0,
        std: float | Sequence[float] = 1.0,
        *,
        channel_order: str = "rgb",
        **kwargs,
    ):
        # float16 holds 123.68 to two digits only, so pixels must not be cast on the way in.
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self.mean = _per_channel("mean", mean)
        self.std = _per_channel("std", std, low=0.0, open_low=True)
        self.channel_order = check_choice("channel_order", channel_order, ("rgb", "bgr"))

    def build(self, input_shape):
        """Check that the channels fit."""
        for name in ("mean", "std"):
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) != input_shape[-1]:
                fail(name, value, f"one number, or {input_shape[-1]}, one for each channel of the input")
        super().build(input_shape)

    def call(self, inputs, training=False):
        """Return the normalized pixels."""
        pixels = ops.cast(inputs, "float32")
        if self.channel_order == "bgr":
            pixels = ops.flip(pixels, axis=-1)
        mean, std = (ops.convert_to_tensor(value, "float32") for value in (self.mean, self.std))
        return ops.cast((pixels - mean) / std, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        """Return the input's shape."""
        return input_shape


def _per_channel(name, value, **bounds):
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value):
        return tuple(check_number(name, entry, **bounds) for entry in value)
    return check_number(name, value, **bounds, advice="A sequence with one number a channel is taken too.")
