"""Raw input of a model that sees pictures."""

import numpy as np
import tensorflow as tf

from unitools.core.checks import fail
from unitools.export.examples import NUM_MADE, encoded_files
from unitools.export.image_bytes import images_from_bytes
from unitools.export.signatures import image_spec


class RawImages:
    """Images in [0, 255], and the encoded pictures they come from.

    Args:
        spec: Float32 `tf.TensorSpec` `(batch, height, width, channels)`.
    """

    array_name, encoded_name = "images", "image_bytes"

    def __init__(self, spec: tf.TensorSpec):
        self.spec = spec

    @classmethod
    def of_model(cls, model, image_size):
        """Return what the model takes, of `image_size` where it takes any size."""
        return cls(image_spec(model, image_size))

    def check_decodable(self) -> None:
        """Raise ValueError where the height or the width is free."""
        if None in self.spec.shape[1:3]:
            fail("image_size", None, "(height, width), as the model takes images of any size", "Give `image_size`.")

    def decode(self, encoded: tf.Tensor) -> tf.Tensor:
        """Return images `(batch, height, width, channels)` of encoded pictures, strings `(batch,)`."""
        _, height, width, channels = self.spec.shape.as_list()
        return images_from_bytes(encoded, (height, width), channels)

    def examples(self, examples):
        """Return (images, encoded): float32 `(batch, height, width, channels)`, and the files' bytes.

        Args:
            examples: Array of images, or a sequence of encoded pictures or of paths, or None for seeded noise.

        Raises:
            ValueError: There are none, or arrays do not fit `spec`.
        """
        shape = self.spec.shape.as_list()
        if examples is None:
            size = [side or 64 for side in shape[1:]]
            examples = np.random.default_rng(0).integers(0, 256, (NUM_MADE, *size)).astype(np.float32)
        encoded = encoded_files(examples)
        if encoded is not None:
            if None in shape[1:3]:
                wanted = "arrays, as the model has no size of its own"
                fail("examples", "encoded pictures", wanted, "Give `image_size`.")
            return self.decode(tf.constant(encoded)).numpy(), encoded
        images = np.asarray(examples, np.float32)
        if images.ndim != 4 or not len(images) or not self.spec.shape.is_compatible_with(images.shape):
            fail("examples", images.shape, f"one or more images of shape {tuple(shape)}", "Or give bytes or paths.")
        pixels = np.clip(np.rint(images), 0, 255).astype(np.uint8)
        return images, [tf.io.encode_png(picture).numpy() for picture in pixels]
