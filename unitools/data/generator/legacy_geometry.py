"""The affine map of the old `ImageDataGenerator`."""

import math

import tensorflow as tf

from unitools.data.image import geometry

MOVEMENTS = {"theta": 0.0, "tx": 0.0, "ty": 0.0, "shear": 0.0, "zx": 1.0, "zy": 1.0}
"""Parameters of the map, and the values that leave a picture as it is."""
FLIPS = ("flip_horizontal", "flip_vertical")


def legacy_matrices(parameters, size):
    """Return float32 `(batch, 2, 3)`, from the result to the source, in (x, y) order; see `geometry`.

    The old order: what a result pixel goes through on its way to the source is flip, zoom, shear, shift, rotation.
    The shear turns the y axis only (x - sin(s) y, cos(s) y), so it also shrinks heights a little.

    Args:
        parameters: Dictionary with any of theta and shear (degrees), tx and ty (pixels to the right and down in the
            source), zx and zy (above 1 shows more), flip_horizontal and flip_vertical (0 or 1). Numbers, or tensors
            `(batch,)`.
        size: (height, width) of the picture.
    """
    values = {name: _vector(parameters.get(name, neutral)) for name, neutral in MOVEMENTS.items()}
    theta, shear = (values[name] * (math.pi / 180.0) for name in ("theta", "shear"))
    turn = geometry.affine(tf.cos(theta), -tf.sin(theta), 0.0, tf.sin(theta), tf.cos(theta), 0.0)
    shift = geometry.affine(c=values["tx"], f=values["ty"])
    slant = geometry.affine(b=-tf.sin(shear), e=tf.cos(shear))
    scale = geometry.affine(a=values["zx"], e=values["zy"])
    movement = geometry.compose(geometry.compose(geometry.compose(scale, slant), shift), turn)
    # The old class takes height / 2 as the centre's x and width / 2 as its y, which shows where they differ.
    movement = geometry.around_centre(movement, size[::-1])
    flips = (_vector(parameters.get(name, 0.0)) for name in FLIPS)
    return geometry.compose(geometry.flip(*flips, size), movement)


def _vector(value):
    return tf.reshape(tf.cast(value, tf.float32), (-1,))
