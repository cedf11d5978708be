"""The random movement of the old `ImageDataGenerator` as an augmenter."""

import numpy as np
import tensorflow as tf

from unitools.core.layers.counter_random import uniform
from unitools.data.generator.legacy_geometry import legacy_matrices
from unitools.data.image import AffineAugmenter, geometry
from unitools.data.image.pixel_values import scaled
from unitools.data.image.warp import warp


class GeneratorAffine(AffineAugmenter):
    """Draws rotation, shifts, shear, zoom and flips as the old `ImageDataGenerator` did, and moves pictures so.

    Why: the old ranges mean other things than `RandomAffine`'s (a shear in degrees, shifts in pixels or from a list),
    while the resampling pass is the same.

    Args:
        ranges: Dictionary with `rotation_range`, `width_shift_range`, `height_shift_range`, `shear_range`,
            `zoom_range` (a pair), `horizontal_flip` and `vertical_flip`, as `ImageDataGenerator` keeps them.
        interpolation_order: 1 for bilinear, 0 for the nearest pixel. Default 1.
        fill, seed: See `AffineAugmenter`.
    """

    def __init__(self, ranges: dict, *, interpolation_order: int = 1, **kwargs):
        super().__init__(**kwargs)
        self.ranges = dict(ranges)
        self.interpolation_order = interpolation_order

    def sample_matrices(self, seeds, size):
        """Draw one matrix a picture, each from ten uniform numbers of its seed."""
        units = dict(zip(_DRAWS, tf.unstack(uniform(seeds, len(_DRAWS)), axis=-1), strict=True))
        ranges = self.ranges
        height, width = (tf.cast(length, tf.float32) for length in size)
        low, high = ranges["zoom_range"]
        parameters = {
            "theta": _symmetric(units["theta"], ranges["rotation_range"]),
            "ty": _shift(units["ty"], units["ty_sign"], ranges["height_shift_range"], height),
            "tx": _shift(units["tx"], units["tx_sign"], ranges["width_shift_range"], width),
            "shear": _symmetric(units["shear"], ranges["shear_range"]),
            "zx": low + units["zx"] * (high - low),
            "zy": low + units["zy"] * (high - low),
            "flip_horizontal": tf.cast(units["flip_horizontal"] < 0.5, tf.float32) * float(ranges["horizontal_flip"]),
            "flip_vertical": tf.cast(units["flip_vertical"] < 0.5, tf.float32) * float(ranges["vertical_flip"]),
        }
        return legacy_matrices(parameters, size)

    def apply_to_images(self, images, parameters):
        """Resample once, bilinearly or from the nearest pixel."""
        if self.interpolation_order == 1:
            return super().apply_to_images(images, parameters)
        return warp(images, parameters["matrices"], parameters["size"], self.fill, "nearest")

    def decode_to(self, image, drawn, image_size, scale=None):
        """Take a decoded picture to its target size in the one pass."""
        if self.interpolation_order == 1:
            return super().decode_to(image, drawn, image_size, scale)
        resize = geometry.resize(tf.unstack(tf.shape(image)[:2]), image_size)
        matrices = geometry.compose(drawn[None], resize)
        return scaled(warp(image[None], matrices, image_size, self.fill, "nearest")[0], scale)


_DRAWS = ("theta", "ty", "ty_sign", "tx", "tx_sign", "shear", "zx", "zy", "flip_horizontal", "flip_vertical")


def _symmetric(unit, limit):
    return (2.0 * unit - 1.0) * float(limit)


def _shift(unit, sign, allowed, length):
    """Return a shift in pixels: a share below 1, a number of pixels, an integer below `allowed`, or one of a list."""
    scale = length if np.max(allowed) < 1 else 1.0
    if isinstance(allowed, float):
        return _symmetric(unit, allowed) * scale
    choices = tf.constant(np.arange(max(allowed, 1)) if isinstance(allowed, int) else allowed, tf.float32)
    index = tf.cast(unit * tf.cast(tf.size(choices), tf.float32), tf.int32)
    return tf.gather(choices, index) * tf.where(sign < 0.5, -1.0, 1.0) * scale
