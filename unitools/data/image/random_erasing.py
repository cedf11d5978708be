"""A rectangle of the picture is hidden."""

import math

import tensorflow as tf

from unitools.core.checks import check_number, check_span, fail
from unitools.core.component import register
from unitools.core.layers.counter_random import fold_in, threefry, uniform
from unitools.data.image.augmenter import Augmenter
from unitools.data.image.pixel_values import check_value_range, into_dtype
from unitools.data.image.rectangles import inside

_NOISE_BYTES = 8
"""Bytes of noise that one counter of threefry gives."""


@register
class RandomErasing(Augmenter):
    """Fills one rectangle of a picture at random, so that no single part of an object is relied on.

    Masks, boxes and labels stay: what is hidden is still there.

    Args:
        rate: Share of the pictures that lose a rectangle, in [0, 1]. Default 0.5.
        area: Area of the rectangle as a share of the picture, drawn from a pair (low, high). Default (0.02, 0.4).
        aspect: Height over width of the rectangle in pixels, drawn from a pair, evenly on the logarithmic scale.
            Default (0.3, 1 / 0.3).
        fill: "noise" for uniform noise in `value_range`, or a pixel value. Default "noise".
        value_range: Pair (black, white) of the noise. Default (0, 255).
        seed: Integer that fixes the draws of `call`; see `Augmenter`.

    Call arguments and shapes: see `Augmenter`.

    Raises:
        ValueError: An argument is out of range.

    Example:
    >>> import tensorflow as tf
    >>> from unitools.data.image import RandomErasing
    >>> erased = RandomErasing(rate=1.0, area=(0.25, 0.25), aspect=(1, 1), fill=0, seed=1)(
    ...     tf.ones((2, 8, 8, 1)), training=True)
    >>> tf.reduce_sum(erased, axis=(1, 2, 3)).numpy().tolist()
    [48.0, 48.0]

    Source: Zhong, Zheng, Kang, Li, Yang: Random Erasing Data Augmentation. AAAI 2020, arXiv 1708.04896. There,
        rectangles are drawn until one fits; here the aspect is drawn from those that fit. Noise has 256 levels, as
        there.
    """

    def __init__(
        self,
        *,
        rate: float = 0.5,
        area: tuple[float, float] = (0.02, 0.4),
        aspect: tuple[float, float] = (0.3, 1 / 0.3),
        fill: str | float = "noise",
        value_range: tuple[float, float] = (0.0, 255.0),
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.rate = check_number("rate", rate, 0, 1, advice="Use rate=0 to turn it off.")
        self.area = check_span("area", area, 0, 1)
        self.aspect = check_span("aspect", aspect, 0.01, 100)
        if isinstance(fill, str) and fill != "noise":
            fail("fill", fill, "'noise' or a pixel value")
        self.fill = fill if fill == "noise" else check_number("fill", fill)
        self.value_range = check_value_range(value_range)

    def sample(self, seeds, size):
        """Draw a rectangle a picture: int32 (top, left, bottom, right), `(batch, 4)`; an empty one to spare it."""
        chosen, area, aspect, top, left = tf.unstack(uniform(seeds, 5), axis=-1)
        height, width = (tf.cast(length, tf.float32) for length in size)
        pixels = (self.area[0] + area * (self.area[1] - self.area[0])) * height * width
        # The sides sqrt(pixels * aspect) and sqrt(pixels / aspect) must fit.
        thinnest, widest = tf.math.log(pixels / (width * width)), tf.math.log(height * height / pixels)
        low, high = (tf.maximum(tf.minimum(math.log(end), widest), thinnest) for end in self.aspect)
        aspect = tf.exp(low + aspect * (high - low))
        tall, broad = (
            tf.minimum(tf.round(tf.sqrt(square)), length)
            for square, length in ((pixels * aspect, height), (pixels / aspect, width))
        )
        tall = tf.where(chosen < self.rate, tall, 0.0)
        top, left = tf.floor(top * (height - tall + 1.0)), tf.floor(left * (width - broad + 1.0))
        rectangle = tf.cast(tf.stack([top, left, top + tall, left + broad], axis=-1), tf.int32)
        return {"rectangles": rectangle, "seeds": fold_in(seeds, 1)}

    def apply_to_images(self, images, parameters):
        """Fill the rectangles."""
        fill = self._noise(images, parameters["seeds"]) if self.fill == "noise" else self.fill
        return tf.where(inside(parameters["rectangles"], tf.shape(images)), tf.cast(fill, images.dtype), images)

    def _noise(self, images, seeds):
        """Return uniform noise of 256 levels in the shape of the pictures."""
        shape = tf.shape(images)
        count = tf.reduce_prod(shape[1:])
        counters = tf.cast(tf.range(-(-count // _NOISE_BYTES)), tf.uint32)
        keys = tf.unstack(tf.cast(seeds, tf.uint32)[:, :, None], axis=1)
        words = tf.stack(threefry(keys, (counters, tf.zeros_like(counters))), axis=-1)
        levels = tf.reshape(tf.bitcast(words, tf.uint8), (shape[0], -1))[:, :count]
        low, high = self.value_range
        if (low, high) != (0.0, 255.0) or images.dtype != tf.uint8:
            levels = low + tf.cast(levels, tf.float32) * ((high - low) / 255.0)
            levels = into_dtype(levels, images.dtype, self.value_range)
        return tf.reshape(levels, shape)
