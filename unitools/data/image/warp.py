"""One resampling pass over a batch of pictures of one size."""

import tensorflow as tf

from unitools.data.image.borders import into_picture


def warp(images, matrices, size, fill="nearest", interpolation="bilinear"):
    """Resample pictures along affine maps.

    Runs on any number of channels and any dtype, in eager mode, in graphs and under XLA: four gathers and their
    weighted sum. For uint8 RGB on a CPU, `warp_bytes` is faster.

    Args:
        images: `(batch, height, width, channels)`.
        matrices: float32 `(batch, 2, 3)`, from the result to the source; see `geometry`.
        size: (height, width) of the result.
        fill: What lies beyond the edge: "nearest", "reflect", "wrap" or a pixel value.
        interpolation: "bilinear" or "nearest".

    Returns:
        `(batch, *size, channels)`, of the dtype of `images`; integers are rounded.
    """
    shape = tf.shape(images)
    y, x = _positions(matrices, size)
    y, y_outside = into_picture(y, tf.cast(shape[1] - 1, tf.float32), fill)
    x, x_outside = into_picture(x, tf.cast(shape[2] - 1, tf.float32), fill)
    if interpolation == "nearest":
        values = _pixels(images, tf.cast(tf.round(y), tf.int32), tf.cast(tf.round(x), tf.int32))
    else:
        values = _from_float(_bilinear(images, y, x), images.dtype)
    if y_outside is not None:
        outside = tf.logical_or(y_outside, x_outside)[..., None]
        values = tf.where(outside, tf.cast(fill, images.dtype), values)
    known = [None if tf.is_tensor(length) else length for length in size]
    return tf.ensure_shape(values, (images.shape[0], *known, images.shape[3]))


def _positions(matrices, size):
    """Return (y, x) in the source of every pixel of the result, each `(batch, height, width)`."""
    row = tf.range(size[0], dtype=tf.float32)[None, :, None]
    column = tf.range(size[1], dtype=tf.float32)[None, None, :]
    x_row, y_row = (matrices[:, axis, :, None, None] for axis in (0, 1))
    return tuple(entry[:, 0] * column + (entry[:, 1] * row + entry[:, 2]) for entry in (y_row, x_row))


def _pixels(images, y, x):
    """Return the pixels at integer positions."""
    shape = tf.shape(images)
    first = tf.reshape(tf.range(shape[0]) * shape[1] * shape[2], (-1, 1, 1))
    return tf.gather(tf.reshape(images, (-1, images.shape[3])), first + y * shape[2] + x)


def _bilinear(images, y, x):
    shape = tf.shape(images)
    top, left = tf.cast(y, tf.int32), tf.cast(x, tf.int32)
    bottom, right = tf.minimum(top + 1, shape[1] - 1), tf.minimum(left + 1, shape[2] - 1)
    down = (y - tf.cast(top, tf.float32))[..., None]
    across = (x - tf.cast(left, tf.float32))[..., None]

    def row(at):
        west, east = (tf.cast(_pixels(images, at, column), tf.float32) for column in (left, right))
        return west * (1.0 - across) + east * across

    return row(top) * (1.0 - down) + row(bottom) * down


def _from_float(values, dtype):
    """Return float values in `dtype`, rounded and kept in range where it is an integer type."""
    return tf.saturate_cast(tf.round(values) if dtype.is_integer else values, dtype)
