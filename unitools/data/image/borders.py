"""What lies beyond the edge of a picture."""

import tensorflow as tf

from unitools.core.checks import check_choice, check_number

MODES = ("nearest", "reflect", "wrap")


def check_fill(fill):
    """Return `fill`, a mode or a pixel value, or raise."""
    return (
        check_choice("fill", fill, MODES, "Or give a pixel value.")
        if isinstance(fill, str)
        else check_number("fill", fill)
    )


def into_picture(positions, last, fill, unit=1):
    """Return where to fetch positions that may lie outside, and which of them take the fill value instead.

    The rules are those of `scipy.ndimage`, and so of the old `ImageDataGenerator`: "nearest" repeats the edge,
    "reflect" mirrors with the edge pixel twice (d c b a | a b c d | d c b a), "wrap" repeats with period size - 1, a
    number fills all that lies beyond the outermost pixel centres.

    Args:
        positions: Float or integer tensor.
        last: Position of the last pixel, size - 1, as a tensor that broadcasts.
        fill: A mode or a number.
        unit: One pixel in the scale of `positions`: 1, or 65536 for 16.16 fixed point.

    Returns:
        (positions in [0, last], mask of those that lie outside and take the fill value, or None)
    """
    if fill == "reflect":
        period = 2 * (last + unit)
        turned = tf.math.floormod(positions + unit // 2 if unit > 1 else positions + 0.5, period)
        turned = tf.minimum(turned, period - turned)
        positions = turned - (unit // 2 if unit > 1 else 0.5)
    elif fill == "wrap":
        period = tf.maximum(last, unit)
        beyond = tf.math.floormod(positions, period)
        before = period - tf.math.floormod(-positions, period)
        positions = tf.where(positions < 0, before, tf.where(positions > last, beyond, positions))
    outside = None if isinstance(fill, str) else tf.logical_or(positions < 0, positions > last)
    return tf.maximum(tf.minimum(positions, last), 0), outside
