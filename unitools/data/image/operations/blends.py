"""Operations that blend a picture with a poorer version of itself, as in Pillow's `ImageEnhance`.

They change one picture, uint8 `(height, width, channels)`. A factor of 0 gives the poorer version, 1 the picture,
above 1 more than the picture has. Results are rounded, where Pillow cuts fractions off.
"""

import tensorflow as tf

from unitools.data.image.pixel_values import LUMA, into_dtype

_CENTRE = 4.0
"""How much more the centre counts than each of the nine pixels, in Pillow's `ImageFilter.SMOOTH`."""


def brightness(image: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Blend with black."""
    return _bytes(tf.cast(image, tf.float32) * factor)


def contrast(image: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Blend with grey of the mean luma."""
    values = tf.cast(image, tf.float32)
    means = tf.reduce_mean(values, axis=(0, 1))
    grey = tf.round(_luma(means)[0])
    return _bytes(values * factor + grey * (1.0 - factor))


def color(image: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Blend with the luma of each pixel. A picture of one channel stays."""
    if image.shape[-1] == 1:
        return image
    values = tf.cast(image, tf.float32)
    return _bytes(values * factor + tf.round(_luma(values)) * (1.0 - factor))


def sharpness(image: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Blend with a smoothed version. Pixels at the edge stay."""
    values = tf.cast(image, tf.float32)
    rows = values[:-2] + values[1:-1] + values[2:]
    nine = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    inner = values[1:-1, 1:-1]
    smooth = tf.round((nine + inner * _CENTRE) * (1.0 / (9.0 + _CENTRE)))
    change = tf.pad((smooth - inner) * (1.0 - factor), ((1, 1), (1, 1), (0, 0)))
    return _bytes(values + change)


def _luma(values):
    """Return the luma, with the channel axis kept."""
    if values.shape[-1] == 1:
        return values
    red, green, blue = (values[..., channel, None] for channel in range(3))
    return red * LUMA[0] + green * LUMA[1] + blue * LUMA[2]


def _bytes(values):
    return into_dtype(values, tf.uint8, (0.0, 255.0))
