"""One resampling pass over uint8 RGB pictures: the quicker way to what `warp` does for all others."""

import tensorflow as tf

from unitools.data.image.byte_buffers import buffers, within_limits
from unitools.data.image.geometry import compose, resize
from unitools.data.image.warp_rows import resample_rows
from unitools.data.image.warp_words import resample_words


def warp_bytes(images, matrices, size, fill="nearest", *, keeps_rows=False, frame=None, scale=None):
    """Resample uint8 RGB pictures bilinearly along affine maps.

    Weights have 8 bits, as positions are rounded to 1/256 pixel: on smooth pictures, results differ from `warp` by one
    grey level. Pictures of more than 2304 x 2304 pixels, or with a side above 8192, are shrunk by area first.

    Args:
        images: uint8 `(batch, height, width, 3)`.
        matrices: float32 `(batch, 2, 3)`, from the result to the frame; see `geometry`.
        size: (height, width) of the result, integers.
        fill: "nearest", "reflect", "wrap" or a pixel value.
        keeps_rows: Whether rows stay rows under every one of the maps, which is quicker. Default False.
        frame: (height, width) that the pictures are taken to be stretched to. Default: those that they have.
        scale: Factor of the result, or None for whole grey levels. Default None.

    Returns:
        `(batch, *size, 3)`, float32 with `scale`, else uint8.
    """
    frame = tf.shape(images)[1:3] if frame is None else tf.constant(frame)
    smaller = within_limits(images)
    arguments = buffers(smaller), tf.shape(smaller)[1:3], frame, matrices, tuple(size), fill, keeps_rows, scale
    return tf.ensure_shape(_resampled(*arguments), (images.shape[0], *size, 3))


@tf.function(jit_compile=True, autograph=False)
def _resampled(filled, source_size, frame, matrices, size, fill, keeps_rows, scale):
    kernel = resample_rows if keeps_rows else resample_words
    matrices = compose(matrices, resize(tf.unstack(source_size), tf.unstack(frame)))
    levels = kernel(filled, source_size, matrices, size, fill)
    return tf.cast(levels + 0.5, tf.uint8) if scale is None else levels * scale
