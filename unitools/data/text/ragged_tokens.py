"""What `encode` gives, as rows of tokens and their labels, in the graph."""

import tensorflow as tf

from unitools.core.checks import fail
from unitools.data.text.token_table import IGNORED, MODEL_INPUTS, unpacked
from unitools.data.text.word_labels import align_labels


def encode_in_graph(encode, texts):
    """Return what `encode` gives while it is traced, or raise if it cannot be."""
    try:
        return encode(texts)
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
        expected = "TensorFlow graph code where `augment` is given, as texts are then encoded anew each epoch"
        fail("encode", encode, expected, f"A WordPieceTokenizer is, and a WordVocabulary. While tracing it: {reason}")


def text_tokens(result):
    """Return the ragged values (n, tokens) of texts by name."""
    return {key: _checked(value) for key, value in unpacked(result, MODEL_INPUTS).items()}


def word_tokens(result, labels, unknown_id):
    """Return the ragged values (n, tokens) of tagged words by name, and the labels of the tokens.

    Args:
        result: What `encode` gave: ids (n, words), pieces (n, words, pieces), or a dictionary with "word_ids".
        labels: Ragged labels (n, words).
        unknown_id: Id of a word that has no pieces, or None to leave it out.
    """
    labels = tf.cast(labels, tf.int32)
    if isinstance(result, dict) and "word_ids" in result:
        values = {key: _checked(value) for key, value in unpacked(result, (*MODEL_INPUTS, "word_ids")).items()}
        return values, align_labels(labels, values.pop("word_ids"), ignore_class=IGNORED)
    values = text_tokens(result)
    if values["token_ids"].ragged_rank == 1:
        return values, labels
    return _pieces(values["token_ids"], labels, unknown_id)


def _pieces(encoded, labels, unknown_id):
    """Return the pieces of words as one row a text, with the label of each word at its first piece."""
    words = encoded.values
    if unknown_id is not None:
        counts = tf.cast(words.row_lengths() == 0, tf.int64)
        filler = tf.fill([tf.reduce_sum(counts)], tf.constant(unknown_id, words.dtype))
        words = tf.concat([words, tf.RaggedTensor.from_row_lengths(filler, counts, validate=False)], axis=1)
    rows = words.value_rowids()
    first = tf.range(tf.size(rows, tf.int64)) == tf.gather(words.row_starts(), rows)
    on_pieces = words.with_values(tf.where(first, tf.gather(labels.values, rows), IGNORED))
    ids, labels = (encoded.with_values(part).merge_dims(1, 2) for part in (words, on_pieces))
    return {"token_ids": ids}, labels


def finish_rows(values, labels, ids, max_length):
    """Return rows cut to `max_length` tokens, with the special ids put in.

    Args:
        values: Ragged values by name.
        labels: Ragged labels of tokens, or None.
        ids: What `checked_ids` gave.
        max_length: Greatest number of tokens, special ones included, or None.
    """
    added = (ids["start"] is not None) + (ids["end"] is not None)
    values = {key: _finish(value, ids["start"], ids["end"], added, max_length) for key, value in values.items()}
    if labels is not None:
        marks = [None if ids[key] is None else IGNORED for key in ("start", "end")]
        labels = _finish(labels, *marks, added, max_length)
    return values, labels


def _finish(rows, start, end, added, max_length):
    rows = tf.cast(rows, tf.int32)
    rows = rows if max_length is None else rows[:, : max_length - added]

    def column(number):
        return [] if number is None else [tf.fill([rows.nrows(), 1], number)]

    return tf.concat([*column(start), rows, *column(end)], axis=1) if added else rows


def _checked(value):
    if not isinstance(value, tf.RaggedTensor) or not value.dtype.is_integer:
        fail("encode", value, "a function that gives ragged tensors of integers in the graph too")
    return value
