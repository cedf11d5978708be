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
    shape, channels = tf.shape(image), image.shape[-1]
    # Rows of height x (width channels): neighbours in a row lie `channels` apart, and loops run along long rows.
    values = tf.reshape(tf.cast(image, tf.float32), (shape[0], shape[1] * channels))
    padded = tf.pad(values, ((1, 1), (channels, channels)))
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    nine = rows[:, : -2 * channels] + rows[:, channels:-channels] + rows[:, 2 * channels :]
    smooth = tf.round((nine + values * _CENTRE) * (1.0 / (9.0 + _CENTRE)))
    changed = tf.where(_inner(shape, channels), values + (smooth - values) * (1.0 - factor), values)
    return tf.reshape(_bytes(changed), shape)


def _inner(shape, channels):
    """Return which values of the rows do not lie at the edge of the picture."""
    row, column = tf.range(shape[0])[:, None], tf.range(shape[1] * channels)[None, :]
    rows = tf.logical_and(row > 0, row < shape[0] - 1)
    return tf.logical_and(rows, tf.logical_and(column >= channels, column < (shape[1] - 1) * channels))


def _luma(values):
    """Return the luma, with the channel axis kept."""
    if values.shape[-1] == 1:
        return values
    red, green, blue = (values[..., channel, None] for channel in range(3))
    return red * LUMA[0] + green * LUMA[1] + blue * LUMA[2]


def _bytes(values):
    return into_dtype(values, tf.uint8, (0.0, 255.0))
