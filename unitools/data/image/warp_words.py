"""One resampling pass over uint8 RGB pictures along any affine map.

The three channels of a pixel travel in one 64-bit word, so that one multiplication blends all of them, and two pixels
are fetched at once. On a CPU that takes about half the time of `warp`, which computes each channel in float32.
"""

import tensorflow as tf

from unitools.data.image.apart import apart
from unitools.data.image.borders import into_picture

_ONE = 65536
"""One pixel in 16.16 fixed point."""
_EVEN = 0x00FF00FF00FF
"""Mask of three bytes with room for a product behind each."""
_HALF = 0x008000800080

_and, _or = tf.bitwise.bitwise_and, tf.bitwise.bitwise_or
_left, _right = tf.bitwise.left_shift, tf.bitwise.right_shift


def _padded_width(size):
    """Return the width rounded up to four pixels, which fill three words."""
    return -(-size[1] // 4) * 4


def resample_words(filled, source_size, matrices, size, fill):
    """Return resampled pictures, float32 `(batch, *size, 3)`. For XLA.

    Args:
        filled: The `buffers` of the pictures, uint8 `(batch, rows, row_bytes)`.
        source_size: int32 `(2,)`, their height and width.
        matrices: float32 `(batch, 2, 3)`, from the result to the source; see `geometry`.
        size: (height, width) of the result, integers.
        fill: "nearest", "reflect", "wrap" or a pixel value.
    """
    height, width = tf.unstack(source_size)
    y, x = _positions(tf.cast(tf.round(matrices * _ONE), tf.int32), size)
    y, y_outside = into_picture(y, _left(height - 1, 16), fill, unit=_ONE)
    x, x_outside = into_picture(x, _left(width - 1, 16), fill, unit=_ONE)
    # At the last pixel the window reads one beyond, with weight 0.
    first = _right(y, 16) * width + _right(x, 16)
    pixels = apart(
        lambda: _blended(filled, first, width, _fraction(y), _fraction(x)),
        lambda: tf.zeros(tf.shape(x), tf.uint32),
        matrices,
    )
    channels = _and(_right(pixels[..., None], tf.constant([0, 8, 16], tf.uint32)), tf.constant(255, tf.uint32))
    levels = tf.cast(channels, tf.float32)
    if y_outside is None:
        return levels
    return tf.where(tf.logical_or(y_outside, x_outside)[..., None], min(max(fill, 0.0), 255.0), levels)


def _positions(maps, size):
    """Return (y, x) in 16.16 fixed point, each int32 `(batch, height, width)`."""
    row = tf.range(size[0])[None, :, None]
    column = tf.range(size[1])[None, None, :]
    a, b, c, d, e, f = (entry[:, None, None] for entry in tf.unstack(tf.reshape(maps, (-1, 6)), 6, axis=1))
    return d * column + (e * row + f), a * column + (b * row + c)


def _fraction(positions):
    """Return the weight of the further neighbour, 0 to 255."""
    return tf.cast(_and(_right(positions, 8), 255), tf.uint64)


def _blended(filled, first, width, down, across):
    """Return red, green, blue in the low bytes of uint32, blended of the four neighbours of pixel `first`."""
    words = tf.bitcast(tf.reshape(filled, (-1, 8)), tf.uint64)
    start = tf.range(tf.shape(filled)[0])[:, None, None] * (tf.shape(filled)[1] * tf.shape(filled)[2] // 8)
    top, bottom = (_window(words, start, pixel) for pixel in (first, first + width))
    # A window reads R G B R' G' B'. Even bytes are R, B, G'; odd ones G, R', B'.
    even = _mix(_and(top, _u64(_EVEN)), _and(bottom, _u64(_EVEN)), down)
    odd = _mix(_and(_right(top, _u64(8)), _u64(_EVEN)), _and(_right(bottom, _u64(8)), _u64(_EVEN)), down)
    near = _or(_and(even, _u64(0xFF00FF)), _left(_and(odd, _u64(0xFF)), _u64(32)))
    far = _or(_and(_right(odd, _u64(16)), _u64(0xFF00FF)), _and(even, _u64(0xFF00000000)))
    mixed = _mix(near, far, across)  # R, B, G
    return tf.cast(_and(_or(mixed, _right(mixed, _u64(24))), _u64(0xFFFFFF)), tf.uint32)


def _window(words, start, pixel):
    """Return the six bytes of a pixel and its right neighbour, in the low bytes of uint64."""
    byte = pixel * 3
    word = start + _right(byte, 3)
    shift = tf.cast(_left(_and(byte, 7), 3), tf.uint64)
    # Two shifts of the upper word, since one by 64 is undefined.
    upper = _left(_left(tf.gather(words, word + 1), _u64(63) - shift), _u64(1))
    return _or(_right(tf.gather(words, word), shift), upper)


def _mix(near, far, weight):
    """Return near + (far - near) weight / 256 in three bytes at once, rounded. Borrows between bytes cancel."""
    total = _left(near, _u64(8)) + (far - near) * weight + _u64(_HALF)
    return _and(_right(total, _u64(8)), _u64(_EVEN))


def _u64(value):
    return tf.constant(value, tf.uint64)
