"""Words to ids."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from unitools.core.checks import check_flag, fail
from unitools.core.component import Component, register
from unitools.data.text.item_counts import (
    FIRST_ID,
    check_items,
    choose_items,
    count_words,
    lowered,
    read_settings,
    write_settings,
)


@register
class WordVocabulary(Component, keras.layers.Layer):
    """Turns words into ids, in the graph: 0 for padding, 1 for unknown words, then the vocabulary in its order.

    Why: models that read whole words, such as an LSTM tagger, need one table that training and serving share. Empty
    strings are padding.

    Args:
        vocabulary: Words, each once, without special ones. Words that contain capitals are never found if `lowercase`.
        lowercase: Whether words are lower-cased first. Default False.
        split: Whether the input is texts, to be parted at white space, rather than words. Default False.
        **kwargs: `name`, `dtype`.

    Call arguments:
        inputs: Strings.

    Input shape:
        Words `(batch, words)`, padded with "" or ragged; with `split`, texts `(batch,)`.

    Output shape:
        int32 `(batch, words)`, padded with 0.

    Raises:
        ValueError: The vocabulary is empty or has a word twice, or another argument is out of range.

    Example:
    >>> vocabulary = ut.data.WordVocabulary.from_texts(["the cat", "the dog"], split=True)
    >>> vocabulary.vocabulary
    ('the', 'cat', 'dog')
    >>> vocabulary(["the bird", "dog"]).numpy().tolist()
    [[2, 1], [4, 0]]
    """

    def __init__(self, vocabulary: Sequence[str], *, lowercase: bool = False, split: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.vocabulary = check_items(vocabulary)
        self.lowercase = check_flag("lowercase", lowercase)
        self.split = check_flag("split", split)
        self._convert_input_args = False
        self._allow_non_tensor_positional_args = True
        self._table = keras.layers.StringLookup(vocabulary=list(self.vocabulary), mask_token="", oov_token="\x00")

    @classmethod
    def from_texts(
        cls,
        texts: Iterable,
        *,
        min_count: int = 1,
        max_size: int | None = None,
        lowercase: bool = False,
        split: bool = False,
    ) -> "WordVocabulary":
        """Return the vocabulary of texts, the most frequent word first.

        Args:
            texts: Texts, parted at white space, or lists of words.
            min_count: Occurrences a word needs, >= 1.
            max_size: Largest number of words, >= 1.
            lowercase: Whether words are lower-cased first.
            split: Whether the layer will be given texts.
        """
        counts = count_words(texts, check_flag("lowercase", lowercase))
        return cls(choose_items(counts, min_count, max_size), lowercase=lowercase, split=split)

    @classmethod
    def from_counts(
        cls, counts: Mapping[str, int], *, min_count: int = 1, max_size: int | None = None, lowercase: bool = False
    ) -> "WordVocabulary":
        """Return the vocabulary of words that are counted already; arguments as of `from_texts`."""
        counts = lowered(counts) if check_flag("lowercase", lowercase) else counts
        return cls(choose_items(counts, min_count, max_size), lowercase=lowercase)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "WordVocabulary":
        """Return the vocabulary that `save` wrote."""
        return cls(**read_settings(path, "WordVocabulary"))

    def save(self, path: str | os.PathLike) -> None:
        """Write the vocabulary to a JSON file."""
        settings = {"vocabulary": list(self.vocabulary), "lowercase": self.lowercase, "split": self.split}
        write_settings(path, "WordVocabulary", settings)

    @property
    def size(self) -> int:
        """Number of ids, padding and unknown included: the `input_dim` of an embedding."""
        return FIRST_ID + len(self.vocabulary)

    def build(self, input_shape: Any) -> None:
        """Make nothing: there are no weights."""

    def call(self, inputs: Any) -> tf.Tensor:
        """Return the ids."""
        return tf.cast(self._table(self._words(inputs)), tf.int32)

    def _words(self, inputs):
        if isinstance(inputs, (list, tuple)):
            inputs = tf.ragged.constant(inputs, dtype=tf.string)
        rank = 1 if self.split else 2
        if inputs.shape.rank != rank:
            shape = "(batch,), since `split` is True" if self.split else "(batch, words)"
            fail("inputs", inputs.shape, f"of shape {shape}", "Use split=True for texts, split=False for words.")
        words = tf.strings.split(inputs) if self.split else inputs
        words = words.to_tensor("") if isinstance(words, tf.RaggedTensor) else words
        return tf.strings.lower(words, "utf-8") if self.lowercase else words
