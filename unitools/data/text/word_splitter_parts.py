"""Where words begin and end in texts, all texts of a batch at once, in the graph."""

from typing import NamedTuple

import tensorflow as tf

from unitools.data.text.word_splitter_kinds import (
    ALONE,
    BRACKET,
    CURRENCY,
    DIGIT,
    EDGE,
    LETTER,
    REPEATED,
    SPACE,
)
from unitools.data.text.word_splitter_periods import kept_periods


class _Characters(NamedTuple):
    """The characters of a batch of texts, a space after each text, one text after the other.

    A text of three spaces more is at the end, so that there is a text after each, and there are always characters.
    """

    points: tf.Tensor  # by character: its code point
    kinds: tf.Tensor  # by character: its bits
    rows: tf.Tensor  # by character: number of its text
    begins: tf.Tensor  # by text: its first character

    def are(self, bits):
        """Tell which characters have one of the bits."""
        return tf.bitwise.bitwise_and(self.kinds, bits) != 0

    def shifted(self, values, by, blank=0):
        """Return for each character the value of the one that stands `by` places after it."""
        count = tf.size(self.points)
        padded = tf.pad(values, [[max(-by, 0), max(by, 0)]], constant_values=blank)
        return padded[max(by, 0) :][:count]


class _Chunks(NamedTuple):
    """Runs of characters between white space and characters that are words of their own."""

    inside: tf.Tensor  # by character: whether it is in a chunk
    numbers: tf.Tensor  # by character: number of the chunk
    firsts: tf.Tensor  # by chunk: first character that is not peeled off; the number of all characters if none is left
    lasts: tf.Tensor  # by chunk: last such character; -1 if none is left


def read_characters(texts: tf.Tensor, tables) -> _Characters:
    """Return the characters of UTF-8 strings `(texts,)`; invalid parts become U+FFFD, a character each.

    Args:
        texts: The strings.
        tables: What `character_kinds` returned.
    """
    texts = tf.concat([texts, ["   "]], axis=0) + " "
    decoded = tf.strings.unicode_decode(texts, "UTF-8", errors="replace", replacement_char=0xFFFD)
    points, rows = decoded.values, tf.cast(decoded.value_rowids(), tf.int32)
    kinds = tf.gather(tables.pages, tf.gather(tables.page_of, points // 256) + points % 256)
    return _Characters(points, kinds, rows, tf.cast(decoded.row_starts(), tf.int32))


def find_words(characters: _Characters, abbreviations, split_clitics: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """Return where each word begins, and one past its end, as positions among the characters.

    Args:
        characters: What `read_characters` returned.
        abbreviations: What `period_table` returned.
        split_clitics: Whether 's, n't and their like are words.
    """
    solid = ~characters.are(SPACE)
    address = _addresses(characters, solid)
    repeats = characters.are(REPEATED)
    again = repeats & (characters.points == characters.shifted(characters.points, -1))
    repeats = again | characters.shifted(again, 1, False)
    alone = characters.are(ALONE) | ~address & (characters.are(BRACKET) | repeats | _between_letters(characters))
    chunks = _chunks(characters, solid & ~alone)
    place = tf.range(tf.size(solid))
    peeled = (place <= tf.gather(chunks.firsts, chunks.numbers)) | (place > tf.gather(chunks.lasts, chunks.numbers))
    begins = (alone | peeled | ~address & _amounts(characters, chunks, place)) & solid & ~again
    cuts, joints = _clitics(characters, chunks, address, alone) if split_clitics else (_none(), _none())
    joints = tf.concat([joints, kept_periods(characters, chunks, solid, abbreviations)], axis=0)
    begins = tf.tensor_scatter_nd_update(begins, joints[:, None], tf.zeros_like(joints, tf.bool))
    begins = tf.tensor_scatter_nd_update(begins, cuts[:, None], tf.ones_like(cuts, tf.bool))
    ends = solid & (characters.shifted(begins, 1, False) | ~characters.shifted(solid, 1, False))
    return _where(begins), _where(ends) + 1


def _addresses(characters, solid):
    """Tell which characters are in a chunk with "://", "www." or an "@" between letters."""
    points, plain = characters.points, characters.are(LETTER | DIGIT)
    near = {by: characters.shifted(points, by) for by in (1, 2, 3)}
    before, after = (characters.shifted(plain, by, False) for by in (-1, 1))
    marks = (points == ord(":")) & (near[1] == ord("/")) & (near[2] == ord("/"))
    marks |= (points == ord("@")) & before & after
    w = ord("w")
    marks |= (points == w) & (near[1] == w) & (near[2] == w) & (near[3] == ord(".")) & ~before
    numbers = _numbers(characters, solid & ~characters.are(ALONE))
    return tf.gather(tf.math.segment_max(tf.cast(marks, tf.int32), numbers), numbers) > 0


def _numbers(characters, inside):
    """Number the runs of characters that are inside; others have the number of the run before them."""
    starts = inside & ~characters.shifted(inside, -1, False)
    return tf.maximum(tf.cumsum(tf.cast(starts, tf.int32)) - 1, 0)


def _between_letters(characters):
    """Tell which commas and their like have a letter after them: a space was forgotten."""
    marks = tf.reduce_any(characters.points[:, None] == tf.constant([ord(mark) for mark in ",;:!?"])[None], axis=1)
    return marks & characters.shifted(characters.are(LETTER), 1, False)


def _chunks(characters, inside):
    numbers, place = _numbers(characters, inside), tf.range(tf.size(inside))
    core = inside & ~characters.are(EDGE)
    firsts = tf.math.segment_min(tf.where(core, place, tf.size(inside)), numbers)
    core &= characters.points != ord(".")
    return _Chunks(inside, numbers, firsts, tf.math.segment_max(tf.where(core, place, -1), numbers))


def _amounts(characters, chunks, place):
    """Tell where a number begins after a sign of currency, or such a sign, or a last "%", after a number."""
    digits, money = characters.are(DIGIT), characters.are(CURRENCY)
    percent = (characters.points == ord("%")) & (place == tf.gather(chunks.lasts, chunks.numbers))
    before = {name: characters.shifted(flags, -1, False) for name, flags in (("digits", digits), ("money", money))}
    return (digits & before["money"]) | ((money | percent) & before["digits"])


def _clitics(characters, chunks, address, alone):
    """Return where clitics begin in their words, and the letters of those that stand alone, to join to "'"."""
    places = [tf.maximum(chunks.lasts - by, 0) for by in (2, 1, 0)]
    third, second, first = (tf.gather(characters.points, place) for place in places)
    small = [tf.bitwise.bitwise_or(points, 32) for points in (third, second, first)]  # ASCII to lower case

    def mark(points):
        return (points == ord("'")) | (points == 0x2019)

    def ends(letters):
        return tf.reduce_all([small[-len(letters) + at] == ord(letter) for at, letter in enumerate(letters)], axis=0)

    short = mark(second) & (ends("s") | ends("m") | ends("d"))
    long = mark(third) & (ends("re") | ends("ve") | ends("ll"))
    negated = (small[0] == ord("n")) & mark(second) & ends("t")
    starts = tf.where(short, places[1], places[0])
    found = (short | long | negated) & (chunks.lasts > 0) & ~tf.gather(address, places[2])
    bare = found & (starts == chunks.firsts - 1) & ~tf.gather(alone, starts)
    return tf.boolean_mask(starts, found & (starts > chunks.firsts)), tf.boolean_mask(chunks.firsts, bare)


def _where(flags):
    return tf.cast(tf.where(flags)[:, 0], tf.int32)


def _none():
    return tf.zeros([0], tf.int32)
