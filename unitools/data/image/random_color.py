"""Brightness, contrast, saturation and hue in one pass."""

import math

import numpy as np
import tensorflow as tf

from unitools.core.checks import check_number, check_span
from unitools.core.component import register
from unitools.core.layers.counter_random import uniform
from unitools.data.image.augmenter import Augmenter
from unitools.data.image.pixel_values import LUMA, check_channels, check_value_range, into_dtype

_TO_YIQ = np.array([LUMA, (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112)])
"""Red, green, blue to luma, in-phase, quadrature."""
_FROM_YIQ = np.linalg.inv(_TO_YIQ)


@register
class RandomColor(Augmenter):
    """Changes brightness, contrast, saturation and hue at random, in one pass over the picture.

    Why: each change alone reads and writes the whole picture, and cuts off what leaves the range. Here they are one
    3 x 3 matrix and one offset a picture, applied once, and only the end result is cut off.

    In this order: brightness multiplies all channels; contrast scales the distance from the mean luma of the picture;
    saturation scales the distance from the luma of the pixel; hue turns the colour about the grey axis; and a share of
    the pictures loses its colour. Masks, boxes and labels stay.

    Args:
        brightness: Factor, drawn from (1 - brightness, 1 + brightness) or from a pair (low, high). Default 0.
        contrast: Factor, likewise; 0 gives uniform grey, above 1 more contrast. Default 0.
        saturation: Factor, likewise; 0 gives a grey picture, above 1 stronger colours. Default 0.
        hue: Turn of the colour circle as a share of a full turn, drawn from (-hue, hue) or from a pair. Default 0.
        gray: Share of the pictures that become grey, in [0, 1]. Default 0.
        value_range: Pair (black, white). Default (0, 255).
        seed: Integer that fixes the draws of `call`; see `Augmenter`.

    Call arguments: see `Augmenter`. Pictures have one or three channels; with one, saturation, hue and gray do nothing.

    Input shape and output shape: `(batch, height, width, channels)`; uint8 and other integers are rounded.

    Raises:
        ValueError: A range is out of bounds, or pictures have another number of channels.

    Example:
    >>> import tensorflow as tf
    >>> from unitools.data.image import RandomColor
    >>> augment = RandomColor(brightness=0.2, contrast=0.2, saturation=0.3, hue=0.05, seed=1)
    >>> augment(tf.fill((2, 8, 8, 3), tf.constant(90, tf.uint8)), training=True).dtype
    tf.uint8

    Source: brightness, contrast and saturation as in Pillow's `ImageEnhance`; hue as a rotation in the I-Q plane of
        YIQ (FCC NTSC, 1953), which keeps the luma, where HSV does not. Unlike a chain of Pillow's, nothing is rounded
        or cut off in between.
    """

    def __init__(
        self,
        *,
        brightness: float | tuple[float, float] = 0.0,
        contrast: float | tuple[float, float] = 0.0,
        saturation: float | tuple[float, float] = 0.0,
        hue: float | tuple[float, float] = 0.0,
        gray: float = 0.0,
        value_range: tuple[float, float] = (0.0, 255.0),
        **kwargs,
    ):
        super().__init__(**kwargs)
        factors = {"brightness": brightness, "contrast": contrast, "saturation": saturation}
        spans = [check_span(name, value, 0, 100, around=1.0) for name, value in factors.items()]
        self._spans = (*spans, check_span("hue", hue, -0.5, 0.5, around=0.0))
        self.brightness, self.contrast, self.saturation, self.hue = map(_given, (*factors.values(), hue))
        self.gray = check_number("gray", gray, 0, 1)
        self.value_range = check_value_range(value_range)

    def sample(self, seeds, size):
        """Draw one colour matrix `(batch, 3, 3)` and one contrast `(batch,)` a picture."""
        units = tf.unstack(uniform(seeds, 5), axis=-1)
        brightness, contrast, saturation, hue = (
            low + unit * (high - low) for unit, (low, high) in zip(units[:4], self._spans, strict=True)
        )
        saturation = tf.where(units[4] < self.gray, 0.0, saturation)
        return {"matrices": brightness[:, None, None] * _chroma(saturation, hue), "contrast": contrast}

    def apply_to_images(self, images, parameters):
        """Apply the matrix, and the contrast about the mean luma that the picture then has."""
        check_channels(images, "RandomColor")
        black = self.value_range[0]
        values = tf.cast(images, tf.float32) - black
        matrices, contrast = parameters["matrices"], parameters["contrast"][:, None, None]
        if images.shape[-1] == 1:
            # Rows add up to the brightness: grey stays grey.
            matrices = tf.reduce_sum(matrices[:, :1], axis=-1, keepdims=True)
            luma = tf.ones((1, 1))
        else:
            luma = tf.constant(LUMA, shape=(3, 1))
        means = tf.reduce_mean(values, axis=(1, 2))[:, None, :]
        middle = tf.linalg.matmul(tf.linalg.matmul(means, matrices, transpose_b=True), luma)
        changed = _multiplied(values, contrast * matrices) + ((1.0 - contrast) * middle + black)[:, None]
        return into_dtype(changed, images.dtype, self.value_range)


def _given(value):
    """Return a range as it was given, a sequence as a tuple."""
    return tuple(value) if isinstance(value, (list, tuple)) else value


def _chroma(saturation, hue):
    """Return the matrices that scale and turn the colour of a pixel and keep its luma."""
    angle = hue * (2.0 * math.pi)
    zero, one = tf.zeros_like(angle), tf.ones_like(angle)
    cosine, sine = saturation * tf.cos(angle), saturation * tf.sin(angle)
    rows = ((one, zero, zero), (zero, cosine, -sine), (zero, sine, cosine))
    turn = tf.stack([tf.stack(row, axis=-1) for row in rows], axis=-2)
    return tf.constant(_FROM_YIQ, tf.float32) @ turn @ tf.constant(_TO_YIQ, tf.float32)


def _multiplied(values, matrices):
    """Return the product of each pixel, as a column, with the matrix of its picture."""
    shape = tf.shape(values)
    pixels = tf.reshape(values, (shape[0], -1, values.shape[-1]))
    return tf.reshape(tf.linalg.matmul(pixels, matrices, transpose_b=True), shape)
