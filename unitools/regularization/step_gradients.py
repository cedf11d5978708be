"""Arithmetic on gradients, of which those of embeddings are sparse."""

from typing import Any

import tensorflow as tf


def dense(gradient: Any) -> Any:
    """Return a gradient as a float32 tensor. Rows that occur several times in a sparse one are added up."""
    if not isinstance(gradient, tf.IndexedSlices):
        return tf.cast(gradient, "float32")
    rows = tf.math.unsorted_segment_sum(gradient.values, gradient.indices, gradient.dense_shape[0])
    return tf.cast(rows, "float32")


def add(left: Any, right: Any) -> Any:
    """Return the sum of two gradients of one variable, either of which may be None. Two sparse ones stay sparse."""
    if left is None or right is None:
        return right if left is None else left
    if not (isinstance(left, tf.IndexedSlices) and isinstance(right, tf.IndexedSlices)):
        left, right = (tf.convert_to_tensor(dense(g) if isinstance(g, tf.IndexedSlices) else g) for g in (left, right))
        return left + right
    values = tf.concat([left.values, right.values], 0)
    return tf.IndexedSlices(values, tf.concat([left.indices, right.indices], 0), left.dense_shape)


def norm(tensors: list) -> Any:
    """Return the Euclidean norm of all tensors together, in float32."""
    return tf.sqrt(tf.add_n([tf.reduce_sum(tf.square(tf.cast(tensor, "float32"))) for tensor in tensors]))


def norm_by_example(tensor: Any) -> Any:
    """Return the Euclidean norm of each example, with the axes of `tensor`, in float32."""
    axes = list(range(1, tensor.shape.rank))
    return tf.sqrt(tf.reduce_sum(tf.square(tf.cast(tensor, "float32")), axes, keepdims=True))
