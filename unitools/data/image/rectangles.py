"""Rectangles of pixels."""

import tensorflow as tf


def inside(rectangles, shape):
    """Return which pixels lie in the rectangle of their picture, bool `(batch, height, width, 1)`.

    Args:
        rectangles: int32 `(batch, 4)`: top, left, bottom, right, the last two excluded.
        shape: Shape of the pictures, int32 `(4,)`.
    """
    top, left, bottom, right = (tf.reshape(side, (-1, 1, 1, 1)) for side in tf.unstack(rectangles, axis=-1))
    row, column = tf.range(shape[1])[None, :, None, None], tf.range(shape[2])[None, None, :, None]
    rows = tf.logical_and(row >= top, row < bottom)
    return tf.logical_and(rows, tf.logical_and(column >= left, column < right))
