"""Channel shift and brightness of the old `ImageDataGenerator`."""

import tensorflow as tf

_AXES = (1, 2, 3)


def shift_channels(images, intensities):
    """Add a number to each picture, kept between its own smallest and largest value.

    Args:
        images: Float `(batch, height, width, channels)`.
        intensities: Float `(batch,)`.
    """
    low, high = _extremes(images)
    return tf.clip_by_value(images + _per_picture(intensities, images.dtype), low, high)


def shift_brightness(images, factors):
    """Multiply each picture by a number as Pillow's `ImageEnhance.Brightness` does, in whole grey levels from 0 to 255.

    A picture with values outside 0..255 is first stretched to them, and back afterwards. A fourth channel, alpha,
    stays as it is.

    Args:
        images: Float `(batch, height, width, channels)`.
        factors: Float `(batch,)`; 1 leaves whole grey levels unchanged.
    """
    low, high = _extremes(images)
    stretched = tf.logical_or(low < 0, high > 255)
    levels = tf.where(stretched, tf.math.divide_no_nan(images - low, high - low) * 255.0, images)
    levels = tf.floor(levels)
    lit = tf.floor(tf.clip_by_value(levels * _per_picture(factors, images.dtype), 0.0, 255.0))
    if images.shape[-1] == 4:
        lit = tf.concat([lit[..., :3], levels[..., 3:]], -1)
    return tf.where(stretched, lit / 255.0 * (high - low) + low, lit)


def _extremes(images):
    return tuple(reduce(images, _AXES, keepdims=True) for reduce in (tf.reduce_min, tf.reduce_max))


def _per_picture(values, dtype):
    return tf.reshape(tf.cast(values, dtype), (-1, 1, 1, 1))
