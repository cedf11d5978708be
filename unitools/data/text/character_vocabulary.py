"""The characters of words to ids."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf

from unitools.core.checks import check_integer, fail
from unitools.core.component import Component, register
from unitools.data.text.item_counts import (
    FIRST_ID,
    check_items,
    choose_items,
    count_words,
    read_settings,
    write_settings,
)


@register
class CharacterVocabulary(Component, keras.layers.Layer):
    """Turns words into the ids of their characters, in the graph: 0 for padding, 1 for unknown characters.

    Why: characters tell a tagger about words that it has never seen. Capitals are kept, since they tell names.

    Args:
        vocabulary: Characters, each once.
        max_word_length: Characters a word, >= 1. The rest of a longer word is left out; `count_truncated` tells how
            many words that concerns. Default 20.
        **kwargs: `name`, `dtype`.

    Call arguments:
        inputs: Words.

    Input shape:
        `(batch, words)`, padded with "" or ragged.

    Output shape:
        int32 `(batch, words, max_word_length)`, padded with 0.

    Raises:
        ValueError: The vocabulary is empty, or has a character twice or longer strings; `max_word_length` is below 1.

    Example:
    >>> characters = ut.data.CharacterVocabulary.from_texts(["aab"], max_word_length=3)
    >>> characters([["ab", "b?"], ["abab"]]).numpy().tolist()
    [[[2, 3, 0], [3, 1, 0]], [[2, 3, 2], [0, 0, 0]]]
    """

    def __init__(self, vocabulary: Sequence[str], *, max_word_length: int = 20, **kwargs: Any):
        super().__init__(**kwargs)
        self.vocabulary = check_items(vocabulary)
        if any(len(character) > 1 for character in self.vocabulary):
            fail("vocabulary", self.vocabulary, "a list of single characters")
        self.max_word_length = check_integer("max_word_length", max_word_length, 1)
        self._convert_input_args = False
        self._allow_non_tensor_positional_args = True

    @classmethod
    def from_texts(
        cls, texts: Iterable, *, min_count: int = 1, max_size: int | None = None, max_word_length: int = 20
    ) -> "CharacterVocabulary":
        """Return the vocabulary of the characters of texts, white space left out.

        Args:
            texts: Texts, or lists of words.
            min_count: Occurrences a character needs, >= 1.
            max_size: Largest number of characters, >= 1.
            max_word_length: Characters a word.
        """
        counts = Counter()
        for word, number in count_words(texts, lowercase=False).items():
            for character in word:
                counts[character] += number
        return cls(choose_items(counts, min_count, max_size), max_word_length=max_word_length)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "CharacterVocabulary":
        """Return the vocabulary that `save` wrote."""
        return cls(**read_settings(path, "CharacterVocabulary"))

    def save(self, path: str | os.PathLike) -> None:
        """Write the vocabulary to a JSON file."""
        settings = {"vocabulary": list(self.vocabulary), "max_word_length": self.max_word_length}
        write_settings(path, "CharacterVocabulary", settings)

    @property
    def size(self) -> int:
        """Number of ids, padding and unknown included: the `input_dim` of an embedding."""
        return FIRST_ID + len(self.vocabulary)

    def count_truncated(self, inputs: Any) -> tf.Tensor:
        """Return the number of words longer than `max_word_length`."""
        lengths = tf.strings.length(_dense(inputs), unit="UTF8_CHAR")
        return tf.reduce_sum(tf.cast(lengths > self.max_word_length, tf.int32))

    def call(self, inputs: Any) -> tf.Tensor:
        """Return the ids."""
        words = _dense(inputs)
        points = tf.strings.unicode_decode(words, "UTF-8").to_tensor(-1, shape=[None, None, self.max_word_length])
        known = tf.constant(sorted(map(ord, self.vocabulary)), tf.int32)
        ids = tf.constant(self._ids_by_point(), tf.int32)
        place = tf.minimum(tf.searchsorted(known, tf.reshape(points, [-1])), len(self.vocabulary) - 1)
        place = tf.reshape(place, tf.shape(points))
        found = tf.where(tf.gather(known, place) == points, tf.gather(ids, place), 1)
        return tf.ensure_shape(tf.where(points < 0, 0, found), [*words.shape, self.max_word_length])

    def _ids_by_point(self):
        ids = {ord(character): number for number, character in enumerate(self.vocabulary, start=FIRST_ID)}
        return [ids[point] for point in sorted(ids)]


def _dense(inputs):
    if isinstance(inputs, (list, tuple)):
        inputs = tf.ragged.constant(inputs, dtype=tf.string)
    if inputs.shape.rank != 2:
        fail("inputs", inputs.shape, "of shape (batch, words)", "Split texts into words first.")
    return inputs.to_tensor("") if isinstance(inputs, tf.RaggedTensor) else inputs
