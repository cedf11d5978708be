"""Random numbers of words, the same for a text alone as in a batch; and where words stand."""

import tensorflow as tf

from unitools.core.layers.counter_random import fold_in, uniform


def word_draws(words: tf.RaggedTensor, seeds: tf.Tensor, count: int = 1) -> tf.Tensor:
    """Return uniform numbers in [0, 1) that depend on the seed of the text and on the place of the word alone.

    Args:
        words: Ragged `(batch, words)`.
        seeds: int32 `(batch, 2)`.
        count: How many numbers a word.

    Returns:
        float32 `(all words, count)`.
    """
    return uniform(fold_in(tf.gather(seeds, words.value_rowids()), word_places(words)), count)


def word_places(words: tf.RaggedTensor) -> tf.Tensor:
    """Return the place of each word in its text, int64 `(all words,)`."""
    return tf.range(tf.size(words.values, tf.int64)) - tf.gather(words.row_starts(), words.value_rowids())


def may_change(words: tf.RaggedTensor, labels: tf.RaggedTensor | None, outside: int | None) -> tf.Tensor:
    """Return which words may change: with labels, those outside of entities; bool `(all words,)`."""
    if labels is None or outside is None:
        return tf.ones_like(words.values, tf.bool)
    return tf.equal(tf.cast(labels.values, tf.int32), outside)


def pick(draws: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
    """Return integers from 0 up to, not including, `counts`, int64, from uniform numbers in [0, 1)."""
    # In float64: the product of a float32 just below 1 would round up to the count.
    places = tf.cast(tf.cast(draws, tf.float64) * tf.cast(counts, tf.float64), tf.int64)
    return tf.clip_by_value(places, 0, tf.maximum(tf.cast(counts, tf.int64) - 1, 0))
