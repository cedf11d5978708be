"""Labels of words on the tokens that the words are encoded as, in flat arrays."""

import numpy as np
import tensorflow as tf

from unitools.core.checks import fail
from unitools.data.text.token_table import (
    AT_A_TIME,
    IGNORED,
    MODEL_INPUTS,
    TokenTable,
    as_ragged,
    count_truncated,
    flat_rows,
    is_packed,
    joined_values,
    unpacked,
)


def encode_words(encode, sentences, labels, unknown_id=None):
    """Return the `TokenTable` of tagged sentences.

    Args:
        encode: Function of ragged strings (n, words). It gives ragged ids (n, words), pieces (n, words, pieces), or a
            dictionary of "token_ids" and "word_ids", the number of each token's word, -1 for none, both ragged
            (n, tokens), or padded, with "padding_mask". "segment_ids" and "character_ids" are taken along.
        sentences: Sequences of words.
        labels: int32 array, the labels of all words.
        unknown_id: Id of a word that has no pieces. Default None: such a word is an error, as its label would be lost.
    """
    parts, truncated, begin = [], 0, 0
    for start in range(0, len(sentences), AT_A_TIME):
        chunk = sentences[start : start + AT_A_TIME]
        words = tf.constant([word for sentence in chunk for word in sentence])
        words = tf.RaggedTensor.from_row_lengths(words, [len(sentence) for sentence in chunk])
        result = encode(words)
        truncated += count_truncated(result)
        ours = labels[begin : begin + len(words.values)]
        begin += len(ours)
        parts.append(_labelled(result, words, ours, unknown_id))
    values = joined_values([part.values for part in parts])
    splits = np.concatenate([[0], np.cumsum(np.concatenate([part.lengths for part in parts]))])
    table = TokenTable(values, splits.astype(np.int64), np.concatenate([part.labels for part in parts]), True)
    table.num_truncated, table.packed = truncated, is_packed(result)
    table.num_lost_words = int(np.sum(labels != IGNORED) - np.sum(table.labels != IGNORED))
    return table


def _labelled(result, words, labels, unknown_id):
    if isinstance(result, dict) and "word_ids" in result:
        return _label_by_number(unpacked(result, (*MODEL_INPUTS, "word_ids")), words, labels)
    parts = unpacked(result, MODEL_INPUTS)
    result = parts["token_ids"]
    rank = len(result.shape) if hasattr(result, "shape") and len(result.shape) == 3 else 2
    result = as_ragged(result, rank, words.nrows())
    if not np.array_equal(result.row_splits, words.row_splits):
        fail("encode", result.row_lengths(), "a function that gives one row, of an id or of pieces, for each word")
    table = label_pieces(result, labels, unknown_id, lambda number: words.values[number].numpy().decode())
    if rank == 2:
        table.values = flat_rows(parts, words.nrows())[0]
    elif len(parts) > 1:
        fail("encode", sorted(parts), "a function that gives 'token_ids' alone, or 'word_ids' too, for pieces of words")
    return table


def _label_by_number(parts, words, labels):
    """Return the table of tokens that know the number of their word."""
    values, splits = flat_rows(parts, words.nrows())
    numbers = values.pop("word_ids").astype(np.int64)
    rows = np.repeat(np.arange(len(splits) - 1), np.diff(splits))
    whole = np.where(numbers < 0, -1, numbers + words.row_splits.numpy()[rows])
    first = (whole >= 0) & (whole != np.concatenate([[-1], whole[:-1]]))
    on_tokens = np.where(first, labels[np.maximum(whole, 0)], IGNORED).astype(np.int32)
    return TokenTable(values, splits, on_tokens, True)


def label_pieces(encoded, labels, unknown_id=None, name_word=str):
    """Return a `TokenTable` with the label of each word at its first piece; the other pieces are ignored.

    Args:
        encoded: Ragged ids (n, words), or pieces (n, words, pieces).
        labels: int32 array, the labels of all words.
        unknown_id: Id of a word that has no pieces. Default None: such a word is an error, as its label would be lost.
        name_word: Function from the number of a word to what the error calls it.
    """
    sentences = encoded.row_splits.numpy().astype(np.int64)
    if encoded.ragged_rank == 1:
        values = encoded.values.numpy().astype(np.int32)
        return TokenTable({"token_ids": values}, sentences, labels.astype(np.int32), True)
    words = encoded.values.row_splits.numpy().astype(np.int64)
    values = encoded.flat_values.numpy().astype(np.int32)
    empty = np.flatnonzero(np.diff(words) == 0)
    if len(empty):
        if unknown_id is None:
            expected = f"a function that gives each word a piece ({len(empty)} have none)"
            fail("encode", name_word(empty[0]), expected, 'Give special_ids={"unknown": ...}, the id to put there.')
        values = np.insert(values, words[empty], unknown_id)
        words = np.concatenate([[0], np.cumsum(np.maximum(np.diff(words), 1))])
    on_tokens = np.full(len(values), IGNORED, np.int32)
    on_tokens[words[:-1]] = labels
    return TokenTable({"token_ids": values}, words[sentences], on_tokens, True)
