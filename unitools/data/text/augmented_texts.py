"""Texts, augmented and encoded anew in the graph."""

import tensorflow as tf

from unitools.core.checks import fail
from unitools.core.layers.counter_random import fold_in
from unitools.data.text.augmenting.text_augmenter import TextAugmenter
from unitools.data.text.ragged_tokens import encode_in_graph, finish_rows, text_tokens


class AugmentedTexts:
    """Takes texts by their numbers, changes them and gives their tokens.

    Args:
        augment: A `TextAugmenter`.
        encode: Function of strings (n,), or of a tuple of two, as for `encode_texts`, of graph code.
        columns: One sequence of strings, or two for pairs.
        ids: What `checked_ids` gave.
        max_length: Greatest number of tokens, special ones included, or None.
    """

    def __init__(self, augment, encode, columns, ids, max_length):
        self.max_length = max_length
        self._augment, self._encode, self._ids = augment, encode, ids
        self._columns = tuple(tf.constant(column) for column in columns)

    def __call__(self, examples, seeds):
        """Return the ragged values (n, tokens) by name, and None in place of labels of tokens."""
        texts = augment_texts(self._augment, tuple(tf.gather(column, examples) for column in self._columns), seeds)
        result = encode_in_graph(self._encode, texts[0] if len(texts) == 1 else texts)
        return finish_rows(text_tokens(result), None, self._ids, self.max_length)


def augment_texts(augment, columns, seeds):
    """Return the columns with the words of their texts changed, and joined with one blank.

    Args:
        augment: A `TextAugmenter`.
        columns: Tuple of string tensors (n,), one, or two for pairs.
        seeds: int32 (n, 2).
    """
    changed = []
    for number, texts in enumerate(columns):
        own = seeds if len(columns) == 1 else fold_in(seeds, number)
        words, _ = augment.augment_words(tf.strings.split(texts), None, own)
        changed.append(tf.strings.reduce_join(words, axis=1, separator=" "))
    return tuple(changed)


def check_augmenter(augment):
    """Return a text augmenter, or raise."""
    if not isinstance(augment, TextAugmenter):
        fail("augment", augment, "a text augmenter, or None", "For instance unitools.data.WordDropout(0.1).")
    return augment
