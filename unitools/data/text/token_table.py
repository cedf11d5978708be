"""Encoded texts, kept as flat arrays."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from unitools.core.checks import fail

IGNORED = -1
"""Label of tokens that do not count: give the loss `ignore_class=-1`."""
AT_A_TIME = 1024
"""Texts that are encoded in one call."""
MODEL_INPUTS = ("token_ids", "segment_ids", "character_ids")
"""What models take of a tokenizer's result, besides the padding mask."""
_AXES = {"character_ids": 3}


@dataclass
class TokenTable:
    """The tokens of all examples, one after the other.

    Args:
        values: Dictionary of int32 arrays (tokens,), "token_ids" among them; "character_ids" (tokens, characters).
        splits: int64 array (examples + 1,), where each example begins, and the end.
        labels: int32 array, the label of each example, or of each token if `by_token`; None without labels.
        by_token: Whether labels belong to tokens.
        num_classes: Number of classes where labels are to become one-hot; None for integers.
        num_truncated: Number of examples that lost tokens.
        num_lost_words: Number of words whose labels are on no token.
        packed: Whether `encode` was a tokenizer that puts in what a text begins and ends with.
        has_pairs: Whether each example is a pair of texts.
        rows: Function of the numbers of examples and their seeds that gives changed tokens anew, an `AugmentedWords` or
            `AugmentedTexts`; None where they stay as they are.
    """

    values: dict
    splits: np.ndarray
    labels: np.ndarray | None = None
    by_token: bool = False
    num_classes: int | None = None
    num_truncated: int = 0
    num_lost_words: int = 0
    packed: bool = False
    has_pairs: bool = False
    rows: Callable | None = None

    @property
    def lengths(self):
        """Number of tokens of each example."""
        return np.diff(self.splits)


def encode_texts(encode, columns):
    """Return the `TokenTable` of texts.

    Args:
        encode: Function of a string tensor (n,), or of a tuple of two for pairs. It gives ragged integers (n, tokens),
            or a dictionary with them as "token_ids" and, if need be, "segment_ids", and "character_ids" (n, tokens,
            characters) with one number of characters for all; or the same padded, with "padding_mask".
        columns: One sequence of strings, or two for pairs.
    """
    parts, truncated = [], 0
    for start in range(0, len(columns[0]), AT_A_TIME):
        chunk = tuple(tf.constant(column[start : start + AT_A_TIME]) for column in columns)
        result = encode(chunk[0] if len(chunk) == 1 else chunk)
        truncated += count_truncated(result)
        packed = is_packed(result)
        parts.append(flat_rows(unpacked(result, MODEL_INPUTS), chunk[0].shape[0]))
    values = joined_values([values for values, _ in parts])
    splits = np.concatenate([[0], np.cumsum(np.concatenate([np.diff(splits) for _, splits in parts]))])
    return TokenTable(
        values, splits.astype(np.int64), num_truncated=truncated, packed=packed, has_pairs=len(columns) > 1
    )


def unpacked(result, keys):
    """Return a dictionary of the ragged tensors that `encode` gave, those of `keys` that are there."""
    if not isinstance(result, dict):
        return {"token_ids": result}
    if "token_ids" not in result:
        fail("encode", sorted(result), "a function that gives 'token_ids'")
    kept = {key: result[key] for key in keys if key in result}
    if "padding_mask" in result:
        mask = tf.cast(result["padding_mask"], tf.bool)
        kept = {key: tf.ragged.boolean_mask(value, mask) for key, value in kept.items()}
    return kept


def flat_rows(parts, rows):
    """Return the values of ragged tensors whose rows have one length, and where each row begins; or raise."""
    parts = {key: as_ragged(value, _AXES.get(key, 2), rows, 1) for key, value in parts.items()}
    splits = parts["token_ids"].row_splits.numpy().astype(np.int64)
    if any(not np.array_equal(part.row_splits, splits) for part in parts.values()):
        fail("encode", sorted(parts), "a function whose results have rows of one length")
    return {key: part.values.numpy().astype(np.int32) for key, part in parts.items()}, splits


def joined_values(parts):
    """Return the values of all calls of `encode`, one after the other, or raise if they do not fit together."""
    shapes = {key: {part[key].shape[1:] for part in parts} for key in parts[0]}
    for key, found in shapes.items():
        if len(found) > 1:
            expected = f"a function that gives {key!r} with one number of characters for all"
            fail("encode", sorted(found), expected, "Pad them to one length.")
    return {key: np.concatenate([part[key] for part in parts]) for key in shapes}


def is_packed(result):
    """Return whether `encode` gave what a tokenizer gives for a model, padded."""
    return isinstance(result, dict) and "padding_mask" in result


def count_truncated(result):
    """Return how many texts a tokenizer says that it has cut."""
    counts = result.get("num_truncated", 0) if isinstance(result, dict) else 0
    return int(np.count_nonzero(counts))


def as_ragged(value, rank, rows, ragged_rank=None):
    """Return what `encode` gave as a ragged tensor of integers, or raise; all axes are ragged, or `ragged_rank`."""
    ragged_rank = rank - 1 if ragged_rank is None else ragged_rank
    if isinstance(value, list):
        value = tf.ragged.constant(value, tf.int32, ragged_rank=1)
    good = isinstance(value, tf.RaggedTensor) and value.dtype.is_integer and value.shape.rank == rank
    if not good or value.ragged_rank != ragged_rank or value.nrows() != rows:
        axes = f"{rank} axes, {ragged_rank} of them ragged, and {rows} rows"
        fail("encode", value, f"a function that gives a ragged tensor of integers with {axes}")
    return value
