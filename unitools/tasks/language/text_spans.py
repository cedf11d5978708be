"""Tags of words to entities with their characters, in the graph."""

from collections.abc import Sequence

import tensorflow as tf

from unitools.metrics.entity_rules import entity_rules
from unitools.metrics.entity_spans import entity_spans, joined_sentences

NAMES = ("types", "starts", "ends", "texts", "confidences")


def text_spans(
    texts: tf.Tensor,
    offsets: tf.RaggedTensor,
    tags: tf.RaggedTensor,
    confidences: tf.RaggedTensor,
    names: Sequence[str],
) -> dict[str, tf.Tensor]:
    """Return the entities of each text, in their order, padded to the most that a text has.

    Any sequence of tags is read as entities, as `EntityScores` reads it.

    Args:
        texts: Strings `(batch,)`.
        offsets: Ragged `(batch, words, 2)`: the characters of each word.
        tags: Ragged `(batch, words)`: number of each word's tag.
        confidences: Ragged `(batch, words)`: probability of that tag.
        names: The tags in the order of their numbers.

    Returns:
        "types" and "texts", strings, "starts" and "ends", int32, and "confidences", float32, all `(batch, entities)`.
        The padding is "", -1 and 0.
    """
    rows, firsts, lasts = _words_of_entities(tags, names)
    kinds_by_tag, kinds = entity_rules(names, None)[1:]
    spans = tf.reshape(offsets.flat_values, (-1, 2))
    starts, ends = tf.gather(spans[:, 0], firsts), tf.gather(spans[:, 1], lasts - 1)
    sums = tf.cumsum(tf.pad(tf.cast(confidences.values, tf.float64), [[1, 0]]))
    means = (tf.gather(sums, lasts) - tf.gather(sums, firsts)) / tf.cast(lasts - firsts, tf.float64)
    # Invalid bytes become one character each, as they are counted in the offsets.
    clean = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    found = {
        "types": tf.gather(tf.constant([*kinds, ""]), tf.gather(kinds_by_tag, tf.gather(tags.values, firsts))),
        "starts": starts,
        "ends": ends,
        "texts": tf.strings.substr(tf.gather(clean, rows), starts, ends - starts, unit="UTF8_CHAR"),
        "confidences": tf.cast(means, tf.float32),
    }
    return {name: _padded(values, rows, tf.size(texts)) for name, values in found.items()}


def _words_of_entities(tags, names):
    """Return the row of each entity, its first word and one past its last, words counted through the batch."""
    outside = len(names)
    dense = tags.to_tensor(outside)
    counted = tf.sequence_mask(tags.row_lengths(), tf.shape(dense)[1])
    begins, ends = entity_spans(joined_sentences(dense, counted, outside), entity_rules(names, None)[0])
    places = tf.cast(tf.where(begins)[:, 0], tf.int32)
    # Each sentence is followed by one position that stands between it and the next.
    splits = tf.cast(tags.row_splits, tf.int32) + tf.range(tf.size(tags.row_splits, tf.int32))
    rows = tf.searchsorted(splits, places, side="right") - 1
    return rows, places - rows, tf.gather(ends, places) - rows


def _padded(values, rows, count):
    blank = {tf.string: "", tf.int32: -1, tf.float32: 0.0}[values.dtype]
    ragged = tf.RaggedTensor.from_value_rowids(values, tf.cast(rows, tf.int64), tf.cast(count, tf.int64))
    return ragged.to_tensor(blank)
