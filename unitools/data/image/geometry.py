"""Affine maps of the picture plane, as batches of matrices.

A matrix `(batch, 2, 3)` takes the pixel position (x, y, 1) in the result to the position in the source from which its
value is fetched. Positions count pixel centres: the first pixel lies at 0, the last at size - 1.
"""

import tensorflow as tf


def affine(a=1.0, b=0.0, c=0.0, d=0.0, e=1.0, f=0.0):
    """Return matrices x' = a x + b y + c, y' = d x + e y + f; each entry a number or a tensor `(batch,)`."""
    a, b, c, d, e, f = (tf.convert_to_tensor(entry, tf.float32) for entry in (a, b, c, d, e, f))
    zero = tf.zeros_like(a + b + c + d + e + f)
    return tf.stack([tf.stack([zero + a, zero + b, zero + c], -1), tf.stack([zero + d, zero + e, zero + f], -1)], -2)


def compose(first, second):
    """Return the matrices that apply `first`, then `second`. On the way from result to source, `first` is nearer."""
    # Written out: TensorFlow 2.21's matmul of so small matrices writes out of bounds on a CPU for some batch shapes.
    moved = second[..., 0:1] * first[..., 0:1, :] + second[..., 1:2] * first[..., 1:2, :]
    return tf.concat([moved[..., :2], moved[..., 2:] + second[..., 2:]], -1)


def invert(matrices):
    """Return the inverse maps, from the source to the result."""
    a, b, c = tf.unstack(matrices[..., 0, :], axis=-1)
    d, e, f = tf.unstack(matrices[..., 1, :], axis=-1)
    scale = 1.0 / (a * e - b * d)
    return affine(e * scale, -b * scale, (b * f - c * e) * scale, -d * scale, a * scale, (c * d - a * f) * scale)


def around_centre(matrices, size):
    """Return `matrices` with the centre of a picture of `size` (height, width) as their origin."""
    y, x = (tf.cast(length, tf.float32) / 2.0 - 0.5 for length in size)
    return compose(compose(affine(c=-x, f=-y), matrices), affine(c=x, f=y))


def resize(source_size, target_size):
    """Return the matrix of a resize with half-pixel centres, that of `tf.image.resize`."""
    scale_y, scale_x = (
        tf.cast(source, tf.float32) / tf.cast(target, tf.float32)
        for source, target in zip(source_size, target_size, strict=True)
    )
    return affine(a=scale_x, c=scale_x / 2.0 - 0.5, e=scale_y, f=scale_y / 2.0 - 0.5)


def flip(horizontal, vertical, size):
    """Return the matrices that mirror; the flags are tensors `(batch,)` of 0 or 1."""
    height, width = (tf.cast(length, tf.float32) for length in size)
    return affine(
        a=1.0 - 2.0 * horizontal, c=horizontal * (width - 1.0), e=1.0 - 2.0 * vertical, f=vertical * (height - 1.0)
    )


def map_boxes(boxes, matrices, size):
    """Return the boxes that enclose the moved corners, clipped to the picture.

    Args:
        boxes: `(batch, boxes, 4)`, absolute x1, y1, x2, y2 float32, measured on pixel edges: a whole picture is
            (0, 0, width, height).
        matrices: `(batch, 2, 3)` from the source to the result, in pixel centres.
        size: (height, width) of the result.
    """
    x1, y1, x2, y2 = tf.unstack(boxes - 0.5, axis=-1)
    corners = tf.stack([tf.stack(corner, -1) for corner in ((x1, y1), (x2, y1), (x2, y2), (x1, y2))], -2)
    moved = tf.einsum("bij,bnkj->bnki", matrices[..., :2], corners) + matrices[:, None, None, :, 2] + 0.5
    height, width = (tf.cast(length, boxes.dtype) for length in size)
    limit = tf.stack([width, height])
    low = tf.clip_by_value(tf.reduce_min(moved, -2), 0.0, limit)
    high = tf.clip_by_value(tf.reduce_max(moved, -2), 0.0, limit)
    return tf.concat([low, high], -1)
