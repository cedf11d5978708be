"""One resampling pass over uint8 RGB pictures, in integer arithmetic.

`warp` computes each channel in float32. Here the three channels of a pixel travel in one 64-bit word, so that one
multiplication blends all of them, and two pixels are fetched at once. On a CPU that takes about half the time.
"""

import tensorflow as tf

from unitools.data.image.borders import into_picture
from unitools.data.image.geometry import compose, resize

_ONE = 65536
"""One pixel in 16.16 fixed point."""
_LARGEST_SIDE = 8192
"""Beyond it, 16.16 fixed point could overflow."""
_MOST_PIXELS = 2304 * 2304
_CAPACITIES = tuple(quarter << octave for octave in range(14, 22) for quarter in (4, 5, 6, 7)) + (1 << 24,)
"""Bytes of the buffers that pictures are put into, four an octave. XLA compiles once for each that occurs."""
_WINDOW = 16
"""Bytes that the last window may read beyond the last pixel."""
_EVEN = 0x00FF00FF00FF
"""Mask of three bytes with room for a product behind each."""
_HALF = 0x008000800080

_and, _or = tf.bitwise.bitwise_and, tf.bitwise.bitwise_or
_left, _right = tf.bitwise.left_shift, tf.bitwise.right_shift


def takes_bytes(images):
    """Return whether `warp_bytes` takes these pictures: uint8, three channels."""
    return images.dtype == tf.uint8 and images.shape[-1] == 3


def warp_bytes(images, matrices, size, fill="nearest"):
    """Resample uint8 RGB pictures bilinearly along affine maps.

    Weights have 8 bits, as positions are rounded to 1/256 pixel: on smooth pictures, results differ from `warp` by one
    grey level. Pictures of more than 2304 x 2304 pixels, or with a side above 8192, are shrunk by area first.

    Args:
        images: uint8 `(batch, height, width, 3)`.
        matrices: float32 `(batch, 2, 3)`, from the result to the source; see `geometry`.
        size: (height, width) of the result, integers.
        fill: "nearest", "reflect", "wrap" or a pixel value.

    Returns:
        uint8 `(batch, *size, 3)`.
    """
    source = tf.shape(images)[1:3]
    smaller = within_limits(images)
    shrunk = tf.shape(smaller)[1:3]
    matrices = compose(matrices, resize(tf.unstack(shrunk), tf.unstack(source)))
    pixels = _compiled(buffers(smaller), shrunk, matrices, tuple(size), fill)
    return tf.ensure_shape(pictures(pixels, size), (images.shape[0], *size, 3))


def within_limits(images):
    """Return the pictures, shrunk by area where they are too large for 16.16 fixed point and the largest buffer."""
    known = images.shape[1:3]
    if known.is_fully_defined() and known.num_elements() <= _MOST_PIXELS and max(known) <= _LARGEST_SIDE:
        return images
    size = tf.cast(tf.shape(images)[1:3], tf.float32)
    limited = tf.minimum(size, float(_LARGEST_SIDE))
    limited *= tf.minimum(1.0, tf.sqrt(float(_MOST_PIXELS) / tf.reduce_prod(limited)))

    def shrunk():
        target = tf.maximum(tf.cast(limited, tf.int32), 1)
        return tf.cast(tf.round(tf.image.resize(images, target, "area")), tf.uint8)

    return tf.cond(tf.reduce_any(limited < size), shrunk, lambda: images)


def buffers(images):
    """Return the bytes of each picture, followed by zeros, uint8 `(batch, capacity)`; capacities are few."""
    shape = tf.shape(images)
    length = shape[1] * shape[2] * 3
    capacity = tf.gather(_CAPACITIES, tf.searchsorted(_CAPACITIES, length[None] + _WINDOW)[0])
    pixels = tf.reshape(images, (shape[0], length))
    return tf.concat([pixels, tf.zeros((shape[0], capacity - length), tf.uint8)], 1)


def pictures(pixels, size):
    """Return the pixels of `resampled` as uint8 `(batch, *size, 3)`."""
    return tf.reshape(tf.bitcast(_packed(pixels), tf.uint8), (-1, size[0], _padded_width(size), 3))[:, :, : size[1]]


def _padded_width(size):
    """Return the width rounded up to four pixels, which fill three words."""
    return -(-size[1] // 4) * 4


def resampled(filled, source_size, matrices, size, fill):
    """Return resampled pixels, red, green, blue in the low bytes of uint32 `(batch, height, padded width)`. For XLA.

    Args:
        filled: The `buffers` of the pictures.
        source_size: int32 `(2,)`, their height and width.
        matrices: See `warp_bytes`.
        size: (height, width) of the result, integers.
        fill: See `warp_bytes`.
    """
    height, width = tf.unstack(source_size)
    y, x = _positions(tf.cast(tf.round(matrices * _ONE), tf.int32), size)
    y, y_outside = into_picture(y, _left(height - 1, 16), fill, unit=_ONE)
    x, x_outside = into_picture(x, _left(width - 1, 16), fill, unit=_ONE)
    # At the last pixel the window reads one beyond, with weight 0.
    pixels = _blended(filled, _right(y, 16) * width + _right(x, 16), width, _fraction(y), _fraction(x))
    if y_outside is not None:
        value = tf.constant(int(min(max(round(fill), 0), 255)) * 0x010101, tf.uint32)
        pixels = tf.where(tf.logical_or(y_outside, x_outside), value, pixels)
    return pixels


_compiled = tf.function(resampled, jit_compile=True, autograph=False)


def _positions(maps, size):
    """Return (y, x) in 16.16 fixed point, each int32 `(batch, height, padded width)`."""
    row = tf.range(size[0])[None, :, None]
    column = tf.range(_padded_width(size))[None, None, :]
    a, b, c, d, e, f = (entry[:, None, None] for entry in tf.unstack(tf.reshape(maps, (-1, 6)), 6, axis=1))
    return d * column + (e * row + f), a * column + (b * row + c)


def _fraction(positions):
    """Return the weight of the further neighbour, 0 to 255."""
    return tf.cast(_and(_right(positions, 8), 255), tf.uint64)


def _blended(filled, first, width, down, across):
    """Return red, green, blue in the low bytes of uint32, blended of the four neighbours of pixel `first`."""
    words = tf.bitcast(tf.reshape(filled, (-1, 8)), tf.uint64)
    start = tf.range(tf.shape(filled)[0])[:, None, None] * (tf.shape(filled)[1] // 8)
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


# Compiled apart: in one program XLA would resample each pixel once for every word that holds a part of it.
@tf.function(jit_compile=True, autograph=False)
def _packed(pixels):
    """Return four pixels in three words: the bytes of the picture as they lie in memory."""
    groups = tf.reshape(pixels, (-1, pixels.shape[1], pixels.shape[2] // 4, 4))
    a, b, c, d = tf.unstack(groups, 4, axis=-1)
    first = _or(a, _left(b, _u32(24)))
    second = _or(_right(b, _u32(8)), _left(c, _u32(16)))
    third = _or(_right(c, _u32(16)), _left(d, _u32(8)))
    return tf.stack([first, second, third], -1)


def _u64(value):
    return tf.constant(value, tf.uint64)


def _u32(value):
    return tf.constant(value, tf.uint32)
