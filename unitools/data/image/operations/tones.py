"""Operations that replace each grey level by another, as in Pillow's `ImageOps`.

They take and give one picture, uint8 `(height, width, channels)`.
"""

import tensorflow as tf

_LEVELS = 256


def autocontrast(image: tf.Tensor) -> tf.Tensor:
    """Return the picture with the levels of each channel stretched to 0..255."""
    values = tf.cast(image, tf.float32)
    low, high = (find(values, axis=(0, 1)) for find in (tf.reduce_min, tf.reduce_max))
    scale = tf.where(high > low, 255.0 / (high - low), 1.0)
    # Pillow cuts fractions off. 1/1024 keeps whole numbers from landing just below themselves.
    offset = tf.where(high > low, -low * scale, 0.0) + 1.0 / 1024
    return tf.cast(values * scale + offset, tf.uint8)


def equalize(image: tf.Tensor) -> tf.Tensor:
    """Return the picture with the levels of each channel spread as evenly as they can be."""
    channels = image.shape[-1]
    places = tf.cast(image, tf.int32) + tf.range(channels) * _LEVELS
    # `tf.math.bincount` takes its size from the values, so that XLA would compile anew for every picture.
    counts = tf.raw_ops.DenseBincount(
        input=tf.reshape(places, [-1]), size=channels * _LEVELS, weights=tf.zeros([0], tf.int32)
    )
    counts = tf.reshape(counts, (channels, _LEVELS))
    below = tf.cumsum(counts, axis=1, exclusive=True)
    brightest = tf.reduce_max(tf.where(counts > 0, below, 0), axis=1, keepdims=True)
    step = brightest // (_LEVELS - 1)
    levels = (below + step // 2) // tf.maximum(step, 1)
    table = tf.where(step > 0, tf.minimum(levels, _LEVELS - 1), tf.range(_LEVELS))
    return tf.gather(tf.cast(tf.reshape(table, [-1]), tf.uint8), places)


def solarize(image: tf.Tensor, threshold: tf.Tensor) -> tf.Tensor:
    """Return the picture with all levels from `threshold`, 0 to 256, inverted."""
    # 256 is no uint8: compare with the level below.
    highest = tf.cast(tf.maximum(tf.math.ceil(threshold) - 1.0, 0.0), tf.uint8)
    kept = tf.logical_and(image <= highest, threshold > 0.0)
    return tf.where(kept, image, 255 - image)


def posterize(image: tf.Tensor, bits: tf.Tensor) -> tf.Tensor:
    """Return the picture with the `bits` highest bits of each level, 1 to 8; a float is rounded."""
    dropped = 8 - tf.cast(tf.round(bits), tf.int32)
    mask = tf.bitwise.left_shift(tf.bitwise.right_shift(255, dropped), dropped)
    return tf.bitwise.bitwise_and(image, tf.cast(mask, tf.uint8))
