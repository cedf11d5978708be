"""Whole words, and their characters, as a tokenizer has them."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from unitools.core.checks import check_choice, check_flag, check_integer, fail
from unitools.core.component import Component, register
from unitools.data.text.character_vocabulary import CharacterVocabulary
from unitools.data.text.string_inputs import as_strings
from unitools.data.text.word_rows import pad_rows, reader_words
from unitools.data.text.word_splitter import WordSplitter
from unitools.data.text.word_vocabulary import WordVocabulary

_ROOM = 512


@register
class WordTokenizer(Component, keras.layers.Layer):
    """Turns texts, or words, into the ids of whole words and of their characters, in the graph.

    Why: LSTM models read words. With the results of `WordPieceTokenizer` in form and name, they fit the same batches,
    tasks and exports. It runs on core TensorFlow operations only.

    One token a word. An unknown word has id 1; so has an empty one among given words. Words are lower-cased if their
    vocabulary says so; characters and offsets are those of the text.

    Calling the layer packs: truncation and padding. `tokenize` gives ragged tokens without that.

    Args:
        words: `WordVocabulary`, made with split=False.
        characters: `CharacterVocabulary`. Default None: there are no `character_ids`.
        splitter: Parts texts into words. Default None: `WordSplitter()`.
        max_length: Most words a row, >= 1. Default None: nothing is cut.
        padding: "longest" pads to the longest row of the batch, "max_length" to `max_length`. Default "longest".
        **kwargs: `name`, `dtype`.

    Call arguments:
        inputs: Texts, or words. Lists of strings will do; a tuple would be a pair of texts, which an error refuses.

    Input shape:
        `(batch,)` strings, one text each, or ragged `(batch, words)` for texts already split into words.

    Output shape:
        A dictionary. `token_ids`, `word_ids` int32 and `padding_mask` bool `(batch, length)`, one column at least;
        `offsets` int32 `(batch, length, 2)`, start and end in characters (Unicode code points) of the text, or of the
        word where words were given; `num_truncated` int32 `(batch,)`, the words left out; with `characters`,
        `character_ids` int32 `(batch, length, max_word_length)`. `word_ids` is the number of the word in its text, -1
        for padding.

    Raises:
        ValueError: An argument is out of range, or the inputs have another shape or are pairs.

    Example:
    >>> words = ut.data.WordVocabulary(["play", "well"], lowercase=True)
    >>> tokenizer = ut.data.WordTokenizer(words, characters=ut.data.CharacterVocabulary(["P", "l"], max_word_length=3))
    >>> packed = tokenizer(["Play well!", "play"])
    >>> packed["token_ids"].numpy().tolist(), packed["offsets"].numpy()[0].tolist()
    ([[2, 3, 1], [2, 0, 0]], [[0, 4], [5, 9], [9, 10]])
    >>> packed["character_ids"].numpy()[0].tolist()
    [[2, 3, 1], [1, 1, 3], [1, 0, 0]]
    """

    def __init__(
        self,
        words: WordVocabulary,
        *,
        characters: CharacterVocabulary | None = None,
        splitter: keras.layers.Layer | None = None,
        max_length: int | None = None,
        padding: str = "longest",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.words = _checked_words(words)
        if characters is not None and not isinstance(characters, CharacterVocabulary):
            fail("characters", characters, "a CharacterVocabulary, or None", "Make one by from_texts(...).")
        self.characters = characters
        if splitter is not None and not (isinstance(splitter, keras.layers.Layer) and hasattr(splitter, "split")):
            fail("splitter", splitter, "a WordSplitter, or None", "It parts texts by its method `split`.")
        self.splitter = splitter
        self.max_length = None if max_length is None else check_integer("max_length", max_length, 1)
        self.padding = check_choice("padding", padding, ("longest", "max_length"))
        if max_length is None and padding == "max_length":
            fail("padding", padding, "'longest' where there is no `max_length`", "Give `max_length` too.")
        self._convert_input_args = False
        self._allow_non_tensor_positional_args = True
        self._splitter = WordSplitter() if splitter is None else splitter

    @classmethod
    def from_reader(
        cls,
        reader: Any,
        *,
        min_count: int = 1,
        max_size: int | None = None,
        lowercase: bool = False,
        characters: bool = True,
        splitter: keras.layers.Layer | None = None,
        **options: Any,
    ) -> "WordTokenizer":
        """Return the tokenizer of the words of a training reader.

        Args:
            reader: A `ColumnText`, or a `TextTable`, whose texts the splitter parts.
            min_count: Occurrences a word needs, >= 1. With 1, training meets no unknown word; 2 is often better.
            max_size: Largest number of words, >= 1.
            lowercase: Whether words are lower-cased. Characters are not.
            characters: Whether to give the ids of characters too, all that occur.
            splitter: As of the constructor.
            **options: Further arguments of the constructor.

        Raises:
            ValueError: An argument is out of range, or the reader has pairs of texts, or neither words nor texts.
        """
        rows = reader_words(reader, WordSplitter() if splitter is None else splitter)
        words = WordVocabulary.from_texts(rows, min_count=min_count, max_size=max_size, lowercase=lowercase)
        spelled = CharacterVocabulary.from_texts(rows) if check_flag("characters", characters) else None
        return cls(words, characters=spelled, splitter=splitter, **options)

    @property
    def vocabulary_size(self) -> int:
        """Number of token ids, padding and unknown included."""
        return self.words.size

    @property
    def num_characters(self) -> int | None:
        """Number of character ids, padding and unknown included; None without characters."""
        return None if self.characters is None else self.characters.size

    @property
    def room(self) -> int:
        """Number of words a window of a long text may hold: `max_length`, or 512 where there is none."""
        return _ROOM if self.max_length is None else self.max_length

    def build(self, input_shape: Any) -> None:
        """Make nothing: there are no weights."""

    def tokenize(self, texts: Any) -> dict[str, tf.RaggedTensor]:
        """Return ragged `token_ids`, `offsets`, `word_ids`, and `character_ids` if there are any."""
        _refuse_pairs(texts)
        words = as_strings(texts)
        if isinstance(words, tf.RaggedTensor):
            lengths = tf.strings.length(words.values, unit="UTF8_CHAR")
            offsets = words.with_values(tf.stack([tf.zeros_like(lengths), lengths], axis=1))
        else:
            parts = self._splitter.split(words)
            words, offsets = parts["words"], parts["offsets"]
        numbers = tf.range(tf.size(words.values)) - tf.cast(
            tf.gather(words.row_starts(), words.value_rowids()), "int32"
        )
        # An empty word among given words is a word too: only padding has id 0.
        ids = tf.maximum(self.words(words.values[None])[0], 1)
        found = {"token_ids": words.with_values(ids), "offsets": offsets, "word_ids": words.with_values(numbers)}
        if self.characters is not None:
            found["character_ids"] = words.with_values(self.characters(words.values[None])[0])
        return found

    def pack(self, first: Mapping[str, Any], second: Mapping[str, Any] | None = None) -> dict[str, tf.Tensor]:
        """Return what a call returns, from what `tokenize` returned.

        Args:
            first: Tokens of the texts.
            second: None. It is here for the error that says that there are no pairs.
        """
        _refuse_pairs((first, second) if second is not None else None)
        return pad_rows(first, self.max_length, fixed=self.padding == "max_length")

    def call(self, inputs: Any) -> dict[str, tf.Tensor]:
        """Return the packed inputs of a model."""
        return self.pack(self.tokenize(inputs))


def _checked_words(words):
    if not isinstance(words, WordVocabulary):
        fail("words", words, "a WordVocabulary", "Make one by from_texts(...), or use WordTokenizer.from_reader(...).")
    if words.split:
        fail("words", words, "a WordVocabulary with split=False", "The tokenizer parts texts itself.")
    return words


def _refuse_pairs(inputs):
    if isinstance(inputs, tuple):
        advice = "A model of words reads one text. Join them, or use a WordPieceTokenizer."
        fail("inputs", inputs, "texts, and no pairs of them", advice)
