"""Words in other words."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from unitools.core.checks import check_flag, check_integer, check_number, fail
from unitools.core.component import register
from unitools.data.text.augmenting.phrase_table import PhraseTable
from unitools.data.text.augmenting.splicing import regrouped, splice
from unitools.data.text.augmenting.text_augmenter import TextAugmenter
from unitools.data.text.augmenting.word_draws import may_change, pick, word_draws


@register
class SynonymReplacement(TextAugmenter):
    """Replaces words by synonyms from your own table.

    Why: a few words that mean the same, known for your field, teach a model more than many texts do.

    A synonym may have several words. In tagged data only words outside of entities are replaced, and every word of the
    synonym gets the label of the word it stands for.

    Args:
        table: Dictionary from a word to its synonyms, each a string of words parted by blanks. All are equally likely.
        rate: Probability of each word of the table to be replaced, in [0, 1]. Use 0 to turn it off.
        lowercase: Whether words are looked up in lower case. Synonyms are put in as they are written. Default False.
        outside: Label of the words that belong to no entity. Default 0, the number of O in a reader's `tags`. None for
            tags that mark no entities, such as parts of speech: then any word may be replaced.
        seed: Integer that fixes the draws of `call`; see `TextAugmenter`.

    Call arguments and shapes: see `TextAugmenter`.

    Raises:
        ValueError: The table is empty, or has a word without synonyms; or another argument is out of range.

    Example:
    >>> replace = ut.data.SynonymReplacement({"card": ["bank card"]}, rate=1.0, lowercase=True)
    >>> replace(tf.constant([["My", "Card"], ["one", ""]]), training=True).numpy().tolist()
    [[b'My', b'bank', b'card'], [b'one', b'', b'']]

    Source:
        Wei, Zou 2019, EDA, https://arxiv.org/abs/1901.11196, with a given table in place of WordNet.
    """

    def __init__(
        self,
        table: Mapping[str, Sequence[str]],
        *,
        rate: float,
        lowercase: bool = False,
        outside: int | None = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.table = _checked_table(table)
        self.rate = check_number("rate", rate, 0, 1, advice="Use rate=0 to turn it off.")
        self.lowercase = check_flag("lowercase", lowercase)
        self.outside = outside if outside is None else check_integer("outside", outside, 0)
        keys = _lowered(list(self.table)) if lowercase else list(self.table)
        if len(set(keys)) < len(keys):
            fail("table", list(self.table), "of words that differ in lower case", "Join their synonyms in one entry.")
        self._lookup = keras.layers.StringLookup(vocabulary=keys, num_oov_indices=1, oov_token="\x00")
        self._phrases = PhraseTable.from_groups([[text.split() for text in texts] for texts in self.table.values()])

    def build(self, input_shape: Any) -> None:
        """Build the look-up, which has no weights."""
        self._lookup.build(input_shape)
        self.built = True

    def augment_words(self, words: tf.RaggedTensor, labels: tf.RaggedTensor | None, seeds: tf.Tensor) -> tuple:
        """Replace words; a pure function."""
        draws, table = word_draws(words, seeds, 2), self._phrases
        keys = self._keys(words.values)
        chosen = (keys >= 0) & (draws[:, 0] < self.rate) & may_change(words, labels, self.outside)
        keys = tf.maximum(keys, 0)
        phrases = tf.gather(tf.constant(table.firsts), keys)
        starts, lengths = table.spans(phrases + pick(draws[:, 1], tf.gather(tf.constant(table.counts), keys)))
        size = tf.size(words.values, tf.int64)
        starts = tf.where(chosen, starts + size, tf.range(size))
        lengths = tf.where(chosen, lengths, 1)
        spliced, owners = splice(words.values, tf.constant(table.words, tf.string), starts, lengths)
        rows = words.value_rowids()
        if labels is not None:
            labels = regrouped(tf.gather(labels.values, owners), words, rows, lengths)
        return regrouped(spliced, words, rows, lengths), labels

    def _keys(self, values):
        """Return the place in the table of each word, -1 for those that it lacks."""
        values = tf.strings.lower(values, "utf-8") if self.lowercase else values
        return tf.cast(self._lookup(values), tf.int64) - 1


def _checked_table(table):
    advice = 'For instance {"card": ["bank card", "debit card"]}.'
    if not isinstance(table, Mapping) or not table or not all(isinstance(word, str) and word for word in table):
        fail("table", table, "a dictionary of words and their synonyms", advice)
    for word, texts in table.items():
        listed = isinstance(texts, (list, tuple)) and texts and all(isinstance(text, str) for text in texts)
        if not listed or not all(text.split() for text in texts):
            fail("table", table, f"a dictionary with a list of synonyms for {word!r}", advice)
    return {word: tuple(texts) for word, texts in table.items()}


def _lowered(words):
    """Lower the case by TensorFlow's rules, as the words of the texts."""
    return [word.decode() for word in tf.strings.lower(tf.constant(words), "utf-8").numpy()]
