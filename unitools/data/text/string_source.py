"""Batches of texts as strings, for models that have their tokenizer inside."""

import tensorflow as tf

from unitools.data.source import Source


def string_source(texts, labels, num_classes=None):
    """Return the `Source` of `(texts, labels)`, or of texts alone.

    Args:
        texts: Strings, or pairs of strings.
        labels: int32 array, or None.
        num_classes: Number of classes for one-hot labels; None for integers.
    """
    texts = tf.constant(texts)
    labels = None if labels is None else tf.constant(labels)

    def load(index, seed):
        example = texts[index] if texts.shape.rank == 1 else (texts[index, 0], texts[index, 1])
        if labels is None:
            return example
        label = labels[index] if num_classes is None else tf.one_hot(labels[index], num_classes)
        return example, label

    return Source(texts.shape[0], load)
