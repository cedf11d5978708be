"""Tagged sentences, augmented and encoded anew in the graph."""

import tensorflow as tf

from unitools.data.text.ragged_tokens import encode_in_graph, finish_rows, word_tokens


class AugmentedWords:
    """Takes sentences by their numbers, changes them and gives their tokens.

    Args:
        augment: A `TextAugmenter`.
        encode: Function of ragged strings (n, words), as for `encode_words`, of graph code.
        sentences: Sequences of words.
        labels: int32 array, the labels of all words.
        ids: What `checked_ids` gave.
        max_length: Greatest number of tokens, special ones included, or None.
    """

    def __init__(self, augment, encode, sentences, labels, ids, max_length):
        self.max_length = max_length
        self._augment, self._encode, self._ids = augment, encode, ids
        words = tf.constant([word for sentence in sentences for word in sentence], tf.string)
        self._words = tf.RaggedTensor.from_row_lengths(words, [len(sentence) for sentence in sentences])
        self._labels = self._words.with_values(tf.constant(labels, tf.int32))

    def __call__(self, examples, seeds):
        """Return the ragged values (n, tokens) by name, and the labels of the tokens."""
        words, labels = tf.gather(self._words, examples), tf.gather(self._labels, examples)
        words, labels = self._augment.augment_words(words, labels, seeds)
        values, labels = word_tokens(encode_in_graph(self._encode, words), labels, self._ids["unknown"])
        return finish_rows(values, labels, self._ids, self.max_length)
