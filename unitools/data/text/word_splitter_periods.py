"""Which last periods belong to their word: those of abbreviations, and of numbers that begin a text."""

import functools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from unitools.data.text.word_splitter_kinds import DIGIT, LETTER

_LONGEST = 15  # characters of initials before their last period
_DIGITS = 3  # of the number of an item in a list
_BOUNDARY = -1


class _PeriodTable(NamedTuple):
    """Abbreviations without their last period, read from the end, and a mark of where they begin."""

    points: np.ndarray  # (abbreviations, width)
    used: np.ndarray  # the same shape: whether the place counts


@functools.lru_cache(maxsize=16)
def period_table(abbreviations: tuple) -> _PeriodTable:
    """Return the table of abbreviations, such as "Mr."."""
    stems = [abbreviation[-2::-1] for abbreviation in abbreviations]
    shape = (len(stems), max([_LONGEST, *map(len, stems)]) + 1)
    points, used = np.full(shape, _BOUNDARY, np.int32), np.zeros(shape, bool)
    for row, stem in enumerate(stems):
        points[row, : len(stem)] = [ord(character) for character in stem]
        used[row, : len(stem) + 1] = True
    return _PeriodTable(points, used)


def kept_periods(characters, chunks, solid, table: _PeriodTable) -> tf.Tensor:
    """Return the positions of the periods that stay with the word before them.

    Args:
        characters: What `read_characters` returned.
        chunks: Their chunks.
        solid: By character: whether it is no white space.
        table: What `period_table` returned.
    """
    after = tf.minimum(tf.maximum(chunks.lasts, 0) + 1, tf.size(solid) - 2)
    periods = [tf.gather(characters.points, place) == ord(".") for place in (after, after + 1)]
    found = (chunks.lasts >= chunks.firsts) & periods[0] & ~periods[1] & tf.gather(chunks.inside, after)
    firsts, lasts = tf.boolean_mask(chunks.firsts, found), tf.boolean_mask(chunks.lasts, found)
    places = lasts[:, None] - tf.range(table.points.shape[1])[None]
    inside = places >= firsts[:, None]
    places = tf.maximum(places, 0)
    points, kinds = tf.gather(characters.points, places), tf.gather(characters.kinds, places)
    inside &= points != ord("-")
    points = tf.where(inside, points, _BOUNDARY)
    letters = tf.bitwise.bitwise_and(kinds, LETTER) != 0
    kept = _listed(points, table) | _initials(points, letters)
    kept |= _begins_text(characters, solid, firsts, lasts, kinds)
    return tf.boolean_mask(lasts, kept) + 1


def _listed(points, table):
    same = (points[:, None] == table.points[None]) | ~table.used[None]
    return tf.reduce_any(tf.reduce_all(same, axis=2), axis=1)


def _initials(points, letters):
    """Tell which words are a letter, or groups of one or two letters with periods between them."""
    stem = tf.math.cumprod(tf.cast(points != _BOUNDARY, tf.int32), axis=1) > 0
    letters &= stem
    three = tf.pad(letters[:, :-2] & letters[:, 1:-1] & letters[:, 2:], [[0, 0], [0, 2]])
    wrong = three | (~letters & (points != ord(".")))
    enough = ~stem[:, 1] | tf.reduce_any(stem & ~letters, axis=1)
    return letters[:, 0] & ~stem[:, -1] & enough & ~tf.reduce_any(stem & wrong, axis=1)


def _begins_text(characters, solid, firsts, lasts, kinds):
    """Tell which words are the number of an item: short, the first of their text, and not all of it."""
    lengths = lasts - firsts + 1
    digits = tf.bitwise.bitwise_and(kinds[:, :_DIGITS], DIGIT) != 0
    digits |= tf.range(_DIGITS)[None] >= lengths[:, None]
    seen = tf.cumsum(tf.cast(solid, tf.int32), exclusive=True)
    rows = tf.gather(characters.rows, lasts)
    edges = tf.gather(seen, characters.begins)
    leading = tf.gather(seen, firsts) == tf.gather(edges, rows)
    followed = tf.gather(edges, rows + 1) > tf.gather(seen, lasts) + 2
    return (lengths <= _DIGITS) & tf.reduce_all(digits, axis=1) & leading & followed
