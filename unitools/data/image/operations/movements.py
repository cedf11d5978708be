"""Operations that move pixels, as affine maps."""

import math

import tensorflow as tf

from unitools.data.image import geometry


def movement(
    *, rotate: tf.Tensor, shear_x: tf.Tensor, shear_y: tf.Tensor, translate_x: tf.Tensor, translate_y: tf.Tensor, size
) -> tf.Tensor:
    """Return matrices `(..., 2, 3)` about the centre of the picture; see `geometry`.

    Args:
        rotate: Angle in degrees, `(...)`; with no other movement a positive one turns counter-clockwise.
        shear_x: Columns that a row moves, relative to the row above.
        shear_y: Rows that a column moves, relative to the column before.
        translate_x: Shift to the left as a share of the width.
        translate_y: Shift upwards as a share of the height.
        size: (height, width).
    """
    height, width = (tf.cast(length, tf.float32) for length in size)
    angle = rotate * (math.pi / 180.0)
    turn = geometry.affine(tf.cos(angle), -tf.sin(angle), 0.0, tf.sin(angle), tf.cos(angle), 0.0)
    slant = geometry.affine(b=shear_x, c=translate_x * width, d=shear_y, f=translate_y * height)
    return geometry.around_centre(geometry.compose(turn, slant), size)
