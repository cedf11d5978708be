"""One resampling pass over uint8 RGB pictures whose rows stay rows: shear along the row, zoom, shift and flips.

Without rotation, each row of the result lies between two rows of the source. Blending those first, byte by byte as they
lie in memory, leaves two neighbours a pixel instead of four, which takes about half the time of `warp_bytes`.
"""

import tensorflow as tf
from tensorflow.compiler.tf2xla.ops.gen_xla_ops import xla_gather

from unitools.data.image.apart import apart
from unitools.data.image.borders import into_picture

_ONE = 65536
"""One pixel in 16.16 fixed point."""
_SLICES_OF_A_VECTOR = b"\n\x01\x01\x1a\x01\x00 \x01"
"""XLA's GatherDimensionNumbers: offset_dims [1], start_index_map [0], index_vector_dim 1."""

_and = tf.bitwise.bitwise_and
_left, _right = tf.bitwise.left_shift, tf.bitwise.right_shift


def resample_rows(filled, source_size, matrices, size, fill):
    """Return resampled pictures, float32 `(batch, *size, 3)`. For XLA.

    Args:
        filled: The `buffers` of the pictures, uint8 `(batch, rows, row_bytes)`.
        source_size: int32 `(2,)`, their height and width.
        matrices: float32 `(batch, 2, 3)`, from the result to the source; see `geometry`. y' must not depend on x.
        size: (height, width) of the result, integers.
        fill: "nearest", "reflect", "wrap" or a pixel value.
    """
    last_row, last_column = tf.unstack(_left(source_size - 1, 16))
    maps = tf.cast(tf.round(matrices * _ONE), tf.int32)
    y = maps[:, 1, 1, None] * tf.range(size[0]) + maps[:, 1, 2, None]
    y, outside = into_picture(y, last_row, fill, unit=_ONE)
    batch, length = tf.shape(filled)[0], tf.shape(filled)[2]
    rows = apart(
        lambda: _blended_rows(filled, source_size, y), lambda: tf.zeros((batch, size[0], length), tf.uint8), matrices
    )
    a, b, c = (entry[:, None, None] for entry in tf.unstack(maps[:, 0], 3, axis=1))
    x = a * tf.range(size[1]) + (b * tf.range(size[0])[:, None] + c)
    x, beside = into_picture(x, last_column, fill, unit=_ONE)
    row = tf.reshape(tf.range(batch * size[0]), (-1, size[0], 1))
    first = row * (length // 3) + _right(x, 16)
    # At the last pixel the neighbour is one beyond, with weight 0.
    near, far = (tf.cast(tf.gather(tf.reshape(rows, (-1, 3)), at), tf.float32) for at in (first, first + 1))
    levels = near + (far - near) * (tf.cast(_and(x, _ONE - 1), tf.float32) / _ONE)[..., None]
    if outside is None:
        return levels
    return tf.where(tf.logical_or(outside[..., None], beside)[..., None], min(max(fill, 0.0), 255.0), levels)


def _blended_rows(filled, source_size, y):
    """Return the bytes between two rows each, at y in 16.16 fixed point: uint8 `(batch, height, row_bytes)`."""
    upper = _right(y, 16)
    start = tf.range(tf.shape(filled)[0])[:, None] * (tf.shape(filled)[1] * tf.shape(filled)[2])
    above, below = (
        tf.cast(_rows(filled, start + row * (source_size[1] * 3)), tf.uint16)
        for row in (upper, tf.minimum(upper + 1, source_size[0] - 1))
    )
    weight = tf.cast(_and(_right(y, 8), 255), tf.uint16)[..., None]
    # above + (below - above) weight / 256, rounded: what overflows in between cancels.
    return tf.cast(_right(_left(above, _u16(8)) + (below - above) * weight + _u16(128), _u16(8)), tf.uint8)


def _rows(filled, starts):
    """Return the bytes from each start on, `row_bytes` of them: `(batch, height, row_bytes)`."""
    length = filled.shape[2] or tf.shape(filled)[2]
    sliced = xla_gather(
        operand=tf.reshape(filled, (-1,)),
        start_indices=tf.reshape(starts, (-1, 1)),
        slice_sizes=[length] if isinstance(length, int) else length[None],
        dimension_numbers=_SLICES_OF_A_VECTOR,
        indices_are_sorted=False,
    )
    return tf.reshape(sliced, (-1, tf.shape(starts)[1], length))


def _u16(value):
    return tf.constant(value, tf.uint16)
