"""Texts to words, all texts of a batch at once, in the graph."""

from typing import NamedTuple

import tensorflow as tf

from unitools.data.text.character_codes import DROPPED
from unitools.data.text.character_rules import LETTER, SPACE


class _Words(NamedTuple):
    """The characters that are left of a batch of texts, one after the other, and where words begin and end."""

    symbols: tf.Tensor  # by character: symbol of the trie
    rows: tf.Tensor  # by character: number of its text
    begins: tf.Tensor  # by character: where it begins in its text
    ends: tf.Tensor  # by character: where it ends in its text
    word_starts: tf.Tensor  # by word: first character
    word_ends: tf.Tensor  # by word: one past its last character


def split_words(texts: tf.Tensor, tables) -> _Words:
    """Clean the texts and part them at white space, punctuation and, if so built, ideographs.

    Args:
        texts: UTF-8 strings `(texts,)`. Invalid bytes are left out, and count as one character each.
        tables: `CharacterCodes`.
    """
    decoded = tf.strings.unicode_decode(texts, "UTF-8", errors="replace", replacement_char=0xFFFD)
    points, splits = decoded.values, tf.cast(decoded.row_splits, tf.int32)
    rows = _rows(splits, tf.size(points))
    codes = tf.gather(tables.pages, tf.gather(tables.page_of, points // 256) + points % 256)
    begins = tf.range(tf.size(points))
    codes, ends = _with_whole_tokens(points, rows, codes, begins + 1, tables.whole)
    kept = tf.cast(tf.where(codes != DROPPED)[:, 0], tf.int32)
    codes, rows, begins, ends = (tf.gather(values, kept) for values in (codes, rows, begins, ends))
    codes, rows, begins, ends = _spread(codes, rows, begins, ends, tables)
    offsets = tf.gather(splits, rows)
    starts, stops = _word_ends(tf.gather(tables.kinds, codes), rows)
    return _Words(tf.gather(tables.symbols, codes), rows, begins - offsets, ends - offsets, starts, stops)


def _rows(splits, count):
    inner = tf.gather(splits, tf.where(splits < count)[:, 0])
    marks = tf.scatter_nd(inner[:, None], tf.ones_like(inner), [count])
    return tf.cumsum(marks) - 1


def _with_whole_tokens(points, rows, codes, ends, whole):
    """Give each token that stands in the text, such as "[SEP]", the code of its own at its first character."""
    patterns = [([ord(character) for character in token], code) for token, code in whole.items()]
    openers = sorted({pattern[0] for pattern, _ in patterns})
    if not patterns:
        return codes, ends
    found = tf.reduce_any([tf.reduce_any(points == opener) for opener in openers])
    return tf.cond(found, lambda: _mark(points, rows, codes, ends, patterns), lambda: (codes, ends))


def _mark(points, rows, codes, ends, patterns):
    count = tf.size(points)
    for pattern, code in patterns:
        length = len(pattern)
        padded = tf.pad(points, [[0, length]], constant_values=-1)
        same_text = tf.pad(rows, [[0, length]], constant_values=-1)[length - 1 : length - 1 + count] == rows
        matched = tf.reduce_all([padded[at : at + count] == point for at, point in enumerate(pattern)], axis=0)
        matched = matched & same_text
        inside = tf.reduce_any([tf.pad(matched, [[at, 0]])[:count] for at in range(1, length)] or [matched & False], 0)
        codes = tf.where(matched, code, tf.where(inside, DROPPED, codes))
        ends = tf.where(matched, ends + length - 1, ends)
    return codes, ends


def _spread(codes, rows, begins, ends, tables):
    """Put the several codes of characters that decompose in their place."""
    first = len(tables.kinds)

    def spread():
        alone = tf.range(first)
        values = tf.concat([alone, tables.several], axis=0)
        splits = tf.concat([tf.range(first, dtype=tf.int64), tables.several_splits + first], axis=0)
        parts = tf.gather(tf.RaggedTensor.from_row_splits(values, splits, validate=False), codes)
        source = parts.value_rowids()
        return parts.values, *(tf.gather(values, source) for values in (rows, begins, ends))

    if not len(tables.several):
        return codes, rows, begins, ends
    return tf.cond(tf.reduce_any(codes >= first), spread, lambda: (codes, rows, begins, ends))


def _word_ends(kinds, rows):
    """Return the first character of each word, and one past its last."""
    letters = kinds == LETTER
    joined = letters[1:] & letters[:-1] & (rows[1:] == rows[:-1])
    solid = kinds != SPACE
    starts = tf.where(solid & ~tf.pad(joined, [[1, 0]])[: tf.size(kinds)])[:, 0]
    stops = tf.where(solid & ~tf.pad(joined, [[0, 1]])[: tf.size(kinds)])[:, 0] + 1
    return tf.cast(starts, tf.int32), tf.cast(stops, tf.int32)
