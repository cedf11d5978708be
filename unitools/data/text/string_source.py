"""Batches of texts as strings, for models that have their tokenizer inside."""

import tensorflow as tf

from unitools.data.source import Source
from unitools.data.text.augmented_texts import augment_texts


def string_source(texts, labels, num_classes=None, augment=None):
    """Return the `Source` of `(texts, labels)`, or of texts alone.

    Args:
        texts: Strings, or pairs of strings.
        labels: int32 array, or None.
        num_classes: Number of classes for one-hot labels; None for integers.
        augment: A `TextAugmenter`, or None.
    """
    texts = tf.constant(texts)
    labels = None if labels is None else tf.constant(labels)

    def load(index, seed):
        example = texts[index] if texts.shape.rank == 1 else (texts[index, 0], texts[index, 1])
        if labels is None:
            return example
        label = labels[index] if num_classes is None else tf.one_hot(labels[index], num_classes)
        return example, label

    def finish(batch, seeds):
        texts = batch if labels is None else batch[0]
        pair = isinstance(texts, tuple)
        changed = augment_texts(augment, texts if pair else (texts,), seeds)
        changed = changed if pair else changed[0]
        return changed if labels is None else (changed, batch[1])

    return Source(texts.shape[0], load, finish=None if augment is None else finish)
