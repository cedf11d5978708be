"""BERT's tokenizer as a layer."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from unitools.core.checks import check_choice, check_flag, check_integer, fail
from unitools.core.component import Component, register
from unitools.data.text.string_inputs import as_strings
from unitools.data.text.word_piece_files import read_folder
from unitools.data.text.word_piece_match import match_pieces
from unitools.data.text.word_piece_pack import pack_pieces
from unitools.data.text.word_piece_tables import build_tables
from unitools.data.text.word_piece_words import split_words

_SPECIAL = {"pad": "[PAD]", "unknown": "[UNK]", "first": "[CLS]", "last": "[SEP]", "mask": "[MASK]"}


@register
class WordPieceTokenizer(Component, keras.layers.Layer):
    """Turns texts into the token ids of BERT and its relatives, in the graph.

    Why: it runs on core TensorFlow operations only, so a model exported with it takes raw strings and loads where
    nothing but TensorFlow is installed. Ids and character offsets are those of the fast BERT tokenizer of Transformers.

    The text is cleaned (control characters and U+FFFD go), lower-cased and stripped of accents if so built, parted at
    white space, punctuation and ideographs, and each word is cut into the longest pieces that the vocabulary has. A
    word that cannot be cut, or has more than 100 characters, becomes the unknown token.

    Special tokens in the text itself, such as "[SEP]", become their ids, as in the reference. Take them out of text
    that you do not trust. Invalid UTF-8 is left out; an invalid part counts as one character in the offsets.

    Calling the layer packs: special tokens, truncation, padding. `tokenize` gives ragged pieces without all that.

    Args:
        vocabulary: The tokens in the order of their ids; pieces that continue a word begin with "##".
        lowercase: Whether letters become lower case (an "uncased" model). Default True.
        strip_accents: Whether accents are left out. Default None: as `lowercase`.
        split_chinese: Whether each ideograph is a word of its own. Default True.
        special_tokens: Token by role: "pad", "unknown", "first", "last", "mask"; further keys name further tokens that
            are matched in the text as they stand. Default None: "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]".
        max_length: Longest row, special tokens included, >= 3. Default 512.
        padding: "longest" pads to the longest row of the batch, "max_length" to `max_length`. Default "longest".
        **kwargs: `name`, `dtype`.

    Call arguments:
        inputs: Texts, or words, or a tuple of two of them for pairs. Lists of strings will do.

    Input shape:
        `(batch,)` strings, one text each, or ragged `(batch, words)` for texts already split into words.

    Output shape:
        A dictionary. `token_ids`, `segment_ids`, `word_ids` int32 and `padding_mask` bool `(batch, length)`; `offsets`
        int32 `(batch, length, 2)`, start and end in characters (Unicode code points) of the text, or of the word where
        words were given; `num_truncated` int32 `(batch,)`, the pieces left out. `word_ids` is the number of the word
        in its text, -1 for special tokens and padding.

    Raises:
        ValueError: An argument is out of range, the vocabulary has a token twice, or lacks a special token.

    Example:
    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "play", "##ing", "well", "!"]
    >>> tokenizer = ut.data.WordPieceTokenizer(vocabulary)
    >>> pieces = tokenizer.tokenize(["Playing well!"])
    >>> pieces["token_ids"].to_list(), pieces["offsets"].to_list()
    ([[5, 6, 7, 8]], [[[0, 4], [4, 7], [8, 12], [12, 13]]])
    >>> tokenizer(["Playing well!", "play"])["token_ids"].numpy().tolist()
    [[2, 5, 6, 7, 8, 3], [2, 5, 3, 0, 0, 0]]

    Source:
        Devlin et al. 2018, https://arxiv.org/abs/1810.04805. Where accents are stripped, 181 rare marks that are kept
        and that Unicode moves in front of accents stay in their place, which can shift an offset by a character.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        *,
        lowercase: bool = True,
        strip_accents: bool | None = None,
        split_chinese: bool = True,
        special_tokens: Mapping[str, str] | None = None,
        max_length: int = 512,
        padding: str = "longest",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.vocabulary = _checked_vocabulary(vocabulary)
        self.lowercase = check_flag("lowercase", lowercase)
        self.strip_accents = None if strip_accents is None else check_flag("strip_accents", strip_accents)
        self.split_chinese = check_flag("split_chinese", split_chinese)
        self.special_tokens = _checked_special(special_tokens, self.vocabulary)
        self.max_length = check_integer("max_length", max_length, 3, advice="Two special tokens and a piece need 3.")
        self.padding = check_choice("padding", padding, ("longest", "max_length"))
        self._convert_input_args = False
        self._allow_non_tensor_positional_args = True
        places = {token: number for number, token in enumerate(self.vocabulary)}
        self._ids = {role: places[token] for role, token in self._tokens().items()}
        self._flat_pieces = tf.function(
            self._find, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False, reduce_retracing=True
        )

    @classmethod
    def from_folder(cls, folder: str | os.PathLike, **options: Any) -> "WordPieceTokenizer":
        """Return the tokenizer of a folder with vocab.txt or tokenizer.json, as Transformers writes them.

        Args:
            folder: The folder. tokenizer_config.json is read too, if it is there.
            **options: Arguments that go before those of the files.
        """
        return cls(**(read_folder(folder) | options))

    @property
    def room(self) -> int:
        """Pieces that a row of one text holds, special tokens not counted."""
        return self.max_length - 2

    def _tokens(self):
        return _SPECIAL | dict(self.special_tokens or {})

    def _find(self, texts):
        whole = tuple(dict.fromkeys(self._tokens().values()))
        accents = self.lowercase if self.strip_accents is None else self.strip_accents
        trie, codes = build_tables(tuple(self.vocabulary), whole, self.lowercase, accents, self.split_chinese)
        words = split_words(texts, codes)
        starts, ends, ids, numbers = match_pieces(words, trie, self._ids["unknown"])
        spans = tf.stack([tf.gather(words.begins, starts), tf.gather(words.ends, ends - 1)], axis=1)
        first_words = tf.gather(words.rows, words.word_starts)
        counts = tf.math.bincount(first_words, minlength=tf.size(texts), maxlength=tf.size(texts), dtype=tf.int32)
        rows = tf.gather(words.rows, starts)
        before = tf.gather(tf.cumsum(counts, exclusive=True), rows)
        return ids, spans, numbers - before, rows

    def tokenize(self, texts: Any) -> dict[str, tf.RaggedTensor]:
        """Return ragged `token_ids`, `offsets` and `word_ids` of texts, or of words, without special tokens."""
        texts = as_strings(texts)
        if not isinstance(texts, tf.RaggedTensor):
            ids, spans, words, rows = self._flat_pieces(texts)
            count = tf.size(texts, tf.int64)
        else:
            ids, spans, _, rows = self._flat_pieces(texts.values)
            owners = tf.cast(texts.value_rowids(), tf.int32)
            starts = tf.cast(texts.row_starts(), tf.int32)
            owner = tf.gather(owners, rows)
            words, rows, count = rows - tf.gather(starts, owner), owner, texts.nrows()
        lengths = tf.math.bincount(rows, minlength=tf.cast(count, tf.int32), dtype=tf.int64)
        parts = {"token_ids": ids, "offsets": spans, "word_ids": words}
        return {name: tf.RaggedTensor.from_row_lengths(part, lengths, validate=False) for name, part in parts.items()}

    def pack(self, first: Mapping[str, Any], second: Mapping[str, Any] | None = None) -> dict[str, tf.Tensor]:
        """Return what a call returns, from what `tokenize` returned.

        Args:
            first: Pieces of the texts.
            second: Pieces of the second text of each pair.
        """
        if second is not None and self.max_length < 5:
            fail("max_length", self.max_length, "an integer >= 5 for pairs", "They have three special tokens.")
        fixed = self.padding == "max_length"
        return pack_pieces(first, second, length=self.max_length, fixed=fixed, ids=self._ids)

    def call(self, inputs: Any) -> dict[str, tf.Tensor]:
        """Return the packed inputs of a model."""
        if isinstance(inputs, tuple):
            if len(inputs) != 2:
                fail("inputs", inputs, "texts, or a tuple of two of them")
            return self.pack(self.tokenize(inputs[0]), self.tokenize(inputs[1]))
        return self.pack(self.tokenize(inputs))


def _checked_vocabulary(vocabulary):
    if (
        not isinstance(vocabulary, Sequence)
        or isinstance(vocabulary, str)
        or not all(isinstance(token, str) for token in vocabulary)
    ):
        fail("vocabulary", vocabulary, "a list of tokens", "Read a folder by WordPieceTokenizer.from_folder(...).")
    places = {}
    for number, token in enumerate(vocabulary):
        if places.setdefault(token, number) != number:
            raise ValueError(
                f"`vocabulary` must hold each token once. Received {token!r} as tokens {places[token]} and {number}."
            )
    return tuple(vocabulary)


def _checked_special(special_tokens, vocabulary):
    """Return the argument as a dictionary, or None."""
    if special_tokens is not None and not isinstance(special_tokens, Mapping):
        fail("special_tokens", special_tokens, "a dictionary of tokens by role")
    known = frozenset(vocabulary)
    tokens = _SPECIAL | dict(special_tokens or {})
    for role, token in tokens.items():
        if token not in known:
            given = None if special_tokens is None else dict(special_tokens)
            advice = f"The vocabulary has no {token!r}. Add it, or name another token for this role."
            fail("special_tokens", given, f"tokens of the vocabulary, {role!r} too", advice)
    clash = _clash(list(dict.fromkeys(tokens.values())))
    if clash:
        fail("special_tokens", dict(special_tokens), "tokens that cannot overlap in a text", f"{clash} can.")
    return None if special_tokens is None else dict(special_tokens)


def _clash(tokens):
    """Return two tokens of which one can begin inside the other."""
    for first in tokens:
        for second in tokens:
            inside = (first[at:] for at in range(1 if first == second else 0, len(first)))
            if any(second.startswith(rest) or rest.startswith(second) for rest in inside):
                return first, second
    return None
