"""Arithmetic on pixels that comes back in the dtype and the range it came in."""

import tensorflow as tf

from unitools.core.checks import check_span, fail

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the brightness of a pixel, ITU-R BT.601: those of Pillow, and Y of YIQ."""


def check_value_range(value_range):
    """Return `value_range` as a pair of floats (black, white), or raise."""
    low, high = check_span("value_range", value_range)
    if low == high:
        fail("value_range", value_range, "a pair (black, white) with black < white", "Most pictures have (0, 255).")
    return low, high


def check_channels(images, name):
    """Raise unless pictures have one or three channels. `name` is who needs it."""
    if images.shape[-1] not in (1, 3):
        raise ValueError(
            f"`{name}` takes pictures of 1 channel (grey) or 3 (red, green, blue). Received images of shape "
            f"{tuple(images.shape)}. Take alpha and further channels off before."
        )


def scaled(pixels, scale):
    """Return float32 pixels times `scale`, or the pixels as they are where `scale` is None."""
    return pixels if scale is None else tf.cast(pixels, tf.float32) * scale


def into_dtype(values, dtype, value_range):
    """Return float values in `dtype`, kept within the range; rounded where it is an integer type."""
    values = tf.clip_by_value(values, *value_range)
    return tf.saturate_cast(tf.round(values) if dtype.is_integer else values, dtype)
