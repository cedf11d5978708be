"""Entities of many sentences at once, without a loop over positions."""

import tensorflow as tf

from unitools.metrics.entity_rules import END, INSIDE, START


def joined_sentences(tags, counted, outside):
    """Return the tags that count in one row, sentences parted by `outside`, and the rest of the row `outside`.

    Word pieces without a label stand between the words of an entity. They are taken out, so that its words are
    neighbours.

    Args:
        tags: Tag numbers (batch, time).
        counted: Booleans (batch, time).
        outside: Number of what is no tag of a sentence.
    """
    parted = tf.reshape(tf.pad(tags, [[0, 0], [0, 1]], constant_values=outside), [-1])
    kept = tf.reshape(tf.pad(counted, [[0, 0], [0, 1]], constant_values=True), [-1])
    size = tf.size(parted)
    places = tf.where(kept, tf.cumsum(tf.cast(kept, tf.int32)) - 1, size)
    return tf.math.unsorted_segment_sum(parted - outside, places, size + 1)[:-1] + outside


def entity_spans(tags, table):
    """Return where entities begin, as booleans, and where one that begins at a position ends, exclusive.

    Args:
        tags: Tag numbers (positions,), the last one the outside.
        table: Meaning of each pair of neighbours, from `entity_rules`.
    """
    table = tf.constant(table)
    before = tf.concat([[table.shape[0] - 1], tags[:-1]], axis=0)
    codes = tf.gather(tf.reshape(table, [-1]), before * table.shape[0] + tags)
    start, inside, end = (tf.bitwise.bitwise_and(codes, flag) > 0 for flag in (START, INSIDE, END))
    run = tf.cumsum(tf.cast(~inside, tf.int32)) - 1  # positions that go on belong to the run of the one before
    first = tf.math.unsorted_segment_min(tf.range(tf.size(tags)), run, tf.size(tags) + 1)
    ends = tf.minimum(tf.gather(first, run + 1), tf.size(tags) - 1)
    starts_before = tf.cumsum(tf.cast(start, tf.int32), exclusive=True)
    begun = starts_before + tf.cast(start, tf.int32) > tf.gather(starts_before, tf.gather(first, run))
    going = inside & tf.concat([[False], begun[:-1]], axis=0)
    return start & ~going & tf.gather(end, ends), ends
