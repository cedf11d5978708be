"""Where entities begin and end, in the graph; and the numbers of their tags."""

import tensorflow as tf

from unitools.core.entity_tags import PREFIXES


def part_entities(labels, tables):
    """Return (entity type of each word or -1, number of each word's stretch, where the stretches begin).

    A stretch is an entity, read as `entity_spans` reads it, or a single word outside.

    Args:
        labels: Ragged integers (batch, words), -1 for words that do not count.
        tables: The `TagTables`.
    """
    flat, rows = tf.cast(labels.values, tf.int32), labels.value_rowids()
    number = tf.maximum(flat, 0)
    kinds = tf.where(flat < 0, -1, tf.gather(tf.constant(tables.kinds), number))
    same_row = tf.concat([[False], rows[1:] == rows[:-1]], axis=0)[: tf.size(rows)]
    opens = before(tf.gather(tf.constant(tables.opens), number), False)
    continues = tf.gather(tf.constant(tables.continues), number)
    goes_on = same_row & opens & continues & (kinds >= 0) & (kinds == before(kinds, -1))
    stretches = tf.cumsum(tf.cast(~goes_on, tf.int64)) - 1
    return kinds, stretches, tf.where(~goes_on)[:, 0]


def before(values, first):
    """Return the value before each one, `first` for the first."""
    return tf.concat([[tf.cast(first, values.dtype)], values[:-1]], axis=0)[: tf.size(values)]


def phrase_labels(tables, scheme, kinds, firsts, places, lengths):
    """Return the labels of the words of entities.

    Args:
        tables: The `TagTables`.
        scheme: "iob2", "iob1" or "bioes".
        kinds: Type of each word's entity.
        firsts: Label of the first word of the entity before it was replaced: in iob1 it depends on its neighbour.
        places: Place of each word in its entity.
        lengths: Number of words of its entity.
    """
    begin, inside, end, single = tf.unstack(tf.gather(tf.constant(tables.numbers), tf.maximum(kinds, 0)), axis=1)
    if scheme == "iob1":
        return tf.where(places == 0, firsts, inside)
    if scheme == "bioes":
        inside = tf.where(places == lengths - 1, end, inside)
        begin = tf.where(lengths == 1, single, begin)
    return tf.where(places == 0, begin, inside)


def lacking_tags(tags, names, scheme):
    """Return the tags of these types in a scheme that `tags` lacks."""
    return [f"{prefix}-{name}" for name in names for prefix in PREFIXES[scheme] if f"{prefix}-{name}" not in tags]
