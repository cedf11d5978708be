"""From encoded pictures to the float images a model is trained on, inside the graph."""

import tensorflow as tf

from unitools.core.layers import decode_image


def images_from_bytes(encoded: tf.Tensor, image_size: tuple[int, int], channels: int) -> tf.Tensor:
    """Decode and resize a batch of encoded pictures as training does.

    Args:
        encoded: String tensor `(batch,)`: JPEG, PNG, GIF (first frame) or BMP files. The batch may be empty.
        image_size: (height, width) in pixels.
        channels: 3 or 1.

    Returns:
        A float32 tensor `(batch, height, width, channels)` in [0, 255], resized bilinearly without antialiasing.

    Raises:
        tf.errors.InvalidArgumentError: When it runs, if one of the pictures cannot be decoded.
    """

    def one(picture):
        return tf.image.resize(decode_image(picture, channels), image_size, method="bilinear", antialias=False)

    # map_fn, not vectorized_map: pictures differ in size.
    return tf.map_fn(one, encoded, fn_output_signature=tf.TensorSpec((*image_size, channels), tf.float32))
