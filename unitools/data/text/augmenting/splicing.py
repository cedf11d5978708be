"""Words put in place of others, as many as they are."""

import tensorflow as tf


def splice(values, phrases, starts, lengths):
    """Return `values` with stretches of `phrases` in place of some, and which stretch each result belongs to.

    Args:
        values: The words of all texts `(n,)`.
        phrases: Further words, counted on from `n`.
        starts: int64, where each stretch of the result begins, among both.
        lengths: int64, how many words it has.

    Returns:
        The words, and the number of the stretch of each.
    """
    places = tf.ragged.range(starts, starts + lengths)
    return tf.gather(tf.concat([values, phrases], axis=0), places.values), places.value_rowids()


def regrouped(values, words, stretch_rows, lengths):
    """Return new values as rows, as many as `words` has, from the row and the length of each stretch."""
    counts = tf.math.unsorted_segment_sum(lengths, stretch_rows, words.nrows())
    return tf.RaggedTensor.from_row_lengths(values, counts, validate=False)
