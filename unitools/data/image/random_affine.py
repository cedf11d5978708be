"""Rotation, shear, zoom, shift and flip in one pass."""

import math

import tensorflow as tf

from unitools.core.checks import check_flag, check_span
from unitools.core.component import register
from unitools.core.layers.counter_random import uniform
from unitools.data.image import geometry
from unitools.data.image.affine_augmenter import AffineAugmenter


@register
class RandomAffine(AffineAugmenter):
    """Rotates, shears, zooms, shifts and flips pictures at random, in one resampling pass.

    Why: a chain of layers, one a movement, interpolates the picture once each, which is slower and blurs. Here the
    movements are one matrix about the centre of the picture: flip, then shift, rotation, shear and zoom.

    Args:
        rotation: Angle in degrees, drawn from (-rotation, rotation), or from a pair (low, high). Default 0.
        shear: Horizontal shear: columns moved per row, drawn from (-shear, shear) or a pair. 0.2 slants a vertical
            line by 11 degrees. Default 0.
        zoom: Width and height each are drawn from (1 - zoom, 1 + zoom) or a pair; above 1 shows more of the picture,
            as `zoom_range` of the old `ImageDataGenerator` did. Default 0.
        translation: Shift as a share of width and height, drawn from (-translation, translation) or a pair.
            Default 0.
        horizontal_flip: Whether to mirror left and right in half of the cases. Default False.
        vertical_flip: Whether to mirror top and bottom in half of the cases. Default False.
        fill: What lies beyond the edge: "nearest" (default), "reflect", "wrap", or a pixel value.
        seed: Integer that fixes the draws of `call`; see `Augmenter`.

    Call arguments and shapes: see `Augmenter`.

    Raises:
        ValueError: A range is out of bounds.

    Example:
    >>> import tensorflow as tf
    >>> from unitools.data.image import RandomAffine
    >>> augment = RandomAffine(rotation=15, zoom=0.2, horizontal_flip=True, seed=1)
    >>> augment(tf.zeros((2, 32, 32, 3), tf.uint8), training=True).shape
    TensorShape([2, 32, 32, 3])
    """

    def __init__(
        self,
        *,
        rotation: float | tuple[float, float] = 0.0,
        shear: float | tuple[float, float] = 0.0,
        zoom: float | tuple[float, float] = 0.0,
        translation: float | tuple[float, float] = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        fill: str | float = "nearest",
        **kwargs,
    ):
        super().__init__(fill=fill, **kwargs)
        self.rotation = _given(rotation)
        self.shear = _given(shear)
        self.zoom = _given(zoom)
        self.translation = _given(translation)
        self.horizontal_flip = check_flag("horizontal_flip", horizontal_flip)
        self.vertical_flip = check_flag("vertical_flip", vertical_flip)
        low, high = check_span("rotation", rotation, -360, 360, around=0.0)
        self._radians = (math.radians(low), math.radians(high))
        self._shear = check_span("shear", shear, -10, 10, around=0.0)
        self._zoom = check_span("zoom", zoom, 0.01, 100, around=1.0, advice="Use zoom=0 to turn it off.")
        self._translation = check_span("translation", translation, -10, 10, around=0.0)

    @property
    def keeps_rows(self) -> bool:
        """Whether there is no rotation: shear, zoom, shift and flips take rows to rows."""
        overridden = type(self).sample_matrices is not RandomAffine.sample_matrices
        return self._radians == (0.0, 0.0) and not overridden

    def sample_matrices(self, seeds, size):
        """Draw one matrix a picture, each from eight uniform numbers of its seed."""
        angle, shear, zoom_x, zoom_y, shift_x, shift_y, mirror, overturn = tf.unstack(uniform(seeds, 8), axis=-1)
        height, width = (tf.cast(length, tf.float32) for length in size)
        angle = _between(angle, self._radians)
        turn = geometry.affine(tf.cos(angle), -tf.sin(angle), 0.0, tf.sin(angle), tf.cos(angle), 0.0)
        slant = geometry.affine(b=_between(shear, self._shear))
        scale = geometry.affine(a=_between(zoom_x, self._zoom), e=_between(zoom_y, self._zoom))
        shift = geometry.affine(
            c=_between(shift_x, self._translation) * width, f=_between(shift_y, self._translation) * height
        )
        movement = geometry.compose(geometry.compose(geometry.compose(shift, turn), slant), scale)
        flipped = geometry.flip(_chosen(mirror, self.horizontal_flip), _chosen(overturn, self.vertical_flip), size)
        return geometry.compose(flipped, geometry.around_centre(movement, size))


def _given(value):
    """Return a range as it was given, a sequence as a tuple."""
    return tuple(value) if isinstance(value, (list, tuple)) else value


def _between(unit, span):
    return span[0] + unit * (span[1] - span[0])


def _chosen(unit, enabled):
    """Return 1.0 for half of the draws where `enabled`, else 0.0."""
    return tf.cast(unit < 0.5, tf.float32) * float(enabled)
