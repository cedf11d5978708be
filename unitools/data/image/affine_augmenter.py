"""The base class of augmenters that move pixels along an affine map."""

import tensorflow as tf

from unitools.data.image import geometry
from unitools.data.image.augmenter import Augmenter
from unitools.data.image.borders import check_fill
from unitools.data.image.byte_buffers import takes_bytes
from unitools.data.image.pixel_values import scaled
from unitools.data.image.warp import warp
from unitools.data.image.warp_bytes import warp_bytes


class AffineAugmenter(Augmenter):
    """Moves pictures, masks and boxes along an affine map, in one resampling pass.

    A subclass overrides `sample_matrices`. Chains of rotation, shear, zoom, shift and flip are one matrix, so that a
    picture is interpolated once; and where `ImageFolder` decodes a file, the same pass takes the picture straight to
    its target size.

    Args:
        fill: What lies beyond the edge: "nearest" (default), "reflect", "wrap", or a pixel value. Masks get 0 for a
            pixel value.
        seed: See `Augmenter`.
    """

    def __init__(self, *, fill: str | float = "nearest", **kwargs):
        super().__init__(**kwargs)
        self.fill = check_fill(fill)

    @property
    def keeps_rows(self) -> bool:
        """Whether every matrix that can be drawn takes rows to rows, which is resampled faster. Default False."""
        return False

    def sample_matrices(self, seeds, size):
        """Return float32 `(batch, 2, 3)`, from the result to the source; see `geometry`.

        Args:
            seeds: int32 `(batch, 2)`.
            size: (height, width) of source and result.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `sample_matrices(seeds, size)`.")

    def sample(self, seeds, size):
        """Draw one matrix a picture."""
        return {"matrices": self.sample_matrices(seeds, size), "size": size}

    def apply_to_images(self, images, parameters):
        """Resample bilinearly."""
        size = _size(images)
        if takes_bytes(images) and images.shape[1:3].is_fully_defined():
            return warp_bytes(images, parameters["matrices"], size, self.fill, keeps_rows=self.keeps_rows)
        return warp(images, parameters["matrices"], size, self.fill)

    def apply_to_masks(self, masks, parameters):
        """Fetch the nearest pixel: a class number is no quantity to interpolate."""
        fill = self.fill if isinstance(self.fill, str) else 0
        return warp(masks, parameters["matrices"], _size(masks), fill, interpolation="nearest")

    def apply_to_boxes(self, boxes, parameters):
        """Enclose the moved corners, clipped to the picture."""
        return geometry.map_boxes(boxes, geometry.invert(parameters["matrices"]), parameters["size"])

    def entry(self):
        """Return the augmenter itself: its pass replaces the resize."""
        return self

    def after_entry(self):
        """Return None: nothing is left for the batch."""
        return

    def draw(self, seeds, image_size):
        """Return what `decode_to` takes for each of several pictures: one matrix a picture."""
        return self.sample_matrices(seeds, image_size)

    def decode_to(self, image, drawn, image_size, scale=None):
        """Take a decoded picture to its target size in the one pass.

        Args:
            image: uint8 `(height, width, channels)`, of any size.
            drawn: What `draw` gave for this picture.
            image_size: (height, width) of the result.
            scale: Factor of the result, or None for whole grey levels. Default None.

        Returns:
            `(*image_size, channels)`, float32 with `scale`, else uint8.
        """
        images, matrices, size = image[None], drawn[None], tuple(image_size)
        if takes_bytes(images):
            options = {"keeps_rows": self.keeps_rows, "frame": size, "scale": scale}
            return warp_bytes(images, matrices, size, self.fill, **options)[0]
        matrices = geometry.compose(matrices, geometry.resize(tf.unstack(tf.shape(image)[:2]), size))
        return scaled(warp(images, matrices, size, self.fill)[0], scale)


def _size(images):
    shape = tf.shape(images)
    return tuple(shape[axis] if images.shape[axis] is None else images.shape[axis] for axis in (1, 2))
