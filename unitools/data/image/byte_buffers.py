"""Bytes of RGB pictures in buffers of few sizes, for kernels that XLA compiles once a size."""

import tensorflow as tf

from unitools.core.layers import rare_branch

_LARGEST_SIDE = 8192
"""Beyond it, positions in 16.16 fixed point could overflow."""
_MOST_PIXELS = 2304 * 2304
_WIDTHS = tuple(quarter << octave for octave in range(4, 11) for quarter in (4, 5, 6)) + (8192,)
_ROWS = tuple(1 << octave for octave in range(4, 15))
"""Widths in pixels and numbers of rows of the buffers. Each pair that occurs costs a compilation and some 10 MB."""


def takes_bytes(images):
    """Return whether `buffers` takes these pictures: uint8, three channels."""
    return images.dtype == tf.uint8 and images.shape[-1] == 3


def within_limits(images):
    """Return the pictures, shrunk by area where they are too large for 16.16 fixed point and the largest buffer."""
    known = images.shape[1:3]
    if known.is_fully_defined():
        too_large = known.num_elements() > _MOST_PIXELS or max(known) > _LARGEST_SIDE
        return _shrunk(images) if too_large else images
    shape = tf.shape(images)
    too_large = tf.logical_or(shape[1] * shape[2] > _MOST_PIXELS, tf.maximum(shape[1], shape[2]) > _LARGEST_SIDE)
    return tf.cond(too_large, lambda: _shrunk(images), lambda: images)


@rare_branch
def _shrunk(images):
    size = tf.cast(tf.shape(images)[1:3], tf.float32)
    limited = tf.minimum(size, float(_LARGEST_SIDE))
    limited *= tf.minimum(1.0, tf.sqrt(float(_MOST_PIXELS) / tf.reduce_prod(limited)))
    target = tf.maximum(tf.cast(limited, tf.int32), 1)
    return tf.cast(tf.round(tf.image.resize(images, target, "area")), tf.uint8)


def buffers(images):
    """Return the bytes of each picture, one row right after the other, followed by zeros.

    Args:
        images: uint8 `(batch, height, width, 3)`, `within_limits`.

    Returns:
        uint8 `(batch, rows, row_bytes)`. A row of the picture is at most `row_bytes` long, and so much can be read from
        the beginning of each row and of the one after the last. Where a row begins is not where a row of the buffer
        does.
    """
    height, width = tf.unstack(tf.shape(images)[1:3])
    rows, width = _at_least(height + 1, _ROWS), _at_least(width, _WIDTHS)
    batch = images.shape[0] or tf.shape(images)[0]
    pixels = tf.reshape(images, (batch, -1))
    zeros = tf.zeros((batch, rows * width * 3 - tf.shape(pixels)[1]), tf.uint8)
    return tf.reshape(tf.concat([pixels, zeros], 1), (batch, rows, width * 3))


def _at_least(number, classes):
    """Return the smallest class that is not below the number."""
    return tf.gather(classes, tf.raw_ops.LowerBound(sorted_inputs=[classes], values=number[None, None])[0, 0])
