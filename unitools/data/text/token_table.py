"""Encoded texts, kept as flat arrays."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from unitools.core.checks import fail

IGNORED = -1
"""Label of tokens that do not count: give the loss `ignore_class=-1`."""
_AT_A_TIME = 1024
"""Texts that are encoded in one call."""


@dataclass
class TokenTable:
    """The tokens of all examples, one after the other.

    Args:
        values: Dictionary of int32 arrays (tokens,), "token_ids" among them.
        splits: int64 array (examples + 1,), where each example begins, and the end.
        labels: int32 array, the label of each example, or of each token if `by_token`; None without labels.
        by_token: Whether labels belong to tokens.
        num_classes: Number of classes where labels are to become one-hot; None for integers.
        num_truncated: Number of examples that lost tokens to `max_length`.
        num_lost_words: Number of labelled tokens lost to `max_length`.
    """

    values: dict
    splits: np.ndarray
    labels: np.ndarray | None = None
    by_token: bool = False
    num_classes: int | None = None
    num_truncated: int = 0
    num_lost_words: int = 0

    @property
    def lengths(self):
        """Number of tokens of each example."""
        return np.diff(self.splits)


def encode_texts(encode, columns):
    """Return the `TokenTable` of texts.

    Args:
        encode: Function of one string tensor (n,) a column that gives ragged integers (n, tokens), or a dictionary of
            them with "token_ids".
        columns: One sequence of strings, or two for pairs.
    """
    parts = []
    for start in range(0, len(columns[0]), _AT_A_TIME):
        chunk = [tf.constant(column[start : start + _AT_A_TIME]) for column in columns]
        result = encode(*chunk)
        result = result if isinstance(result, dict) else {"token_ids": result}
        if "token_ids" not in result:
            fail("encode", sorted(result), "a function that gives 'token_ids'")
        result = {key: _ragged(value, 2, chunk[0].shape[0]) for key, value in result.items()}
        parts.append(result)
    joined = {key: tf.concat([part[key] for part in parts], axis=0) for key in parts[0]}
    splits = {key: value.row_splits.numpy() for key, value in joined.items()}
    if any(not np.array_equal(split, splits["token_ids"]) for split in splits.values()):
        fail("encode", sorted(splits), "a function whose results have rows of one length")
    values = {key: value.values.numpy().astype(np.int32) for key, value in joined.items()}
    return TokenTable(values, splits["token_ids"].astype(np.int64))


def encode_words(encode, sentences):
    """Return ragged int tensors of all sentences: one id a word (n, words), or pieces (n, words, pieces).

    Args:
        encode: Function of ragged strings (n, words).
        sentences: Sequences of words.
    """
    parts = []
    for start in range(0, len(sentences), _AT_A_TIME):
        chunk = sentences[start : start + _AT_A_TIME]
        words = tf.constant([word for sentence in chunk for word in sentence])
        words = tf.RaggedTensor.from_row_lengths(words, [len(sentence) for sentence in chunk])
        part = encode(words)
        part = _ragged(part, 3 if len(part.shape) == 3 else 2, len(chunk)) if hasattr(part, "shape") else part
        if not isinstance(part, tf.RaggedTensor) or not np.array_equal(part.row_splits, words.row_splits):
            fail("encode", type(part).__name__, "a function that gives one row, of an id or of pieces, for each word")
        parts.append(part)
    return tf.concat(parts, axis=0)


def _ragged(value, rank, rows):
    """Return what `encode` gave as a ragged tensor of integers, or raise."""
    if isinstance(value, list):
        value = tf.ragged.constant(value, tf.int32, ragged_rank=1)
    good = isinstance(value, tf.RaggedTensor) and value.dtype.is_integer and value.shape.rank == rank
    if not good or value.ragged_rank != rank - 1 or value.nrows() != rows:
        fail("encode", value, f"a function that gives a ragged tensor of integers with {rank} axes and {rows} rows")
    return value
