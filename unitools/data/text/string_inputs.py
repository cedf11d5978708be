"""Texts, or words, as tokenizers are given them."""

from typing import Any

import tensorflow as tf

from unitools.core.checks import fail


def as_strings(texts: Any) -> tf.Tensor | tf.RaggedTensor:
    """Return texts as strings `(batch,)`, or words as ragged strings `(batch, words)`.

    Args:
        texts: Strings of either shape, or lists.

    Raises:
        ValueError: They have another shape.
    """
    if isinstance(texts, (list, tuple)) and any(isinstance(item, (list, tuple)) for item in texts):
        texts = tf.ragged.constant(texts, dtype=tf.string, ragged_rank=1)
    if isinstance(texts, tf.RaggedTensor):
        return texts
    texts = tf.convert_to_tensor(texts, tf.string)
    if texts.shape.rank == 2:  # words of texts of one length, or Keras' column of texts
        return tf.RaggedTensor.from_tensor(texts)
    if texts.shape.rank != 1:
        fail("inputs", texts.shape, "of shape (batch,), or (batch, words)")
    return texts
