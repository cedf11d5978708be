"""The base class of augmenters that move pixels along an affine map."""

import tensorflow as tf

from unitools.data.image import geometry
from unitools.data.image.augmenter import Augmenter
from unitools.data.image.borders import check_fill
from unitools.data.image.warp import warp
from unitools.data.image.warp_bytes import buffers, pictures, resampled, takes_bytes, warp_bytes, within_limits


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
            return warp_bytes(images, parameters["matrices"], size, self.fill)
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

    def decode_to(self, image, seed, image_size):
        """Take a decoded picture to its target size in the one pass.

        Args:
            image: uint8 `(height, width, channels)`, of any size.
            seed: int32 `(2,)`.
            image_size: (height, width) of the result.

        Returns:
            uint8 `(*image_size, channels)`.
        """
        images = image[None]
        if not takes_bytes(images):
            matrices = self._matrices_from(tf.shape(image)[:2], seed[None], image_size)
            return warp(images, matrices, image_size, self.fill)[0]
        images = within_limits(images)
        pixels = self._sample_and_resample(buffers(images), tf.shape(images)[1:3], seed[None], tuple(image_size))
        return pictures(pixels, image_size)[0]

    def _matrices_from(self, source_size, seeds, size):
        return geometry.compose(self.sample_matrices(seeds, size), geometry.resize(tf.unstack(source_size), size))

    # Drawing parameters takes some hundred tiny operations: alone they would cost as much as the resampling.
    @tf.function(jit_compile=True, autograph=False)
    def _sample_and_resample(self, filled, source_size, seeds, size):
        matrices = self._matrices_from(source_size, seeds, size)
        return resampled(filled, source_size, matrices, size, self.fill)


def _size(images):
    shape = tf.shape(images)
    return tuple(shape[axis] if images.shape[axis] is None else images.shape[axis] for axis in (1, 2))
