"""The pieces of the words of a batch, and windows of them packed for a model."""

import tensorflow as tf

from unitools.data.text.word_labels import first_pieces


class WordPieces:
    """Pieces of words, one after the other through the whole batch.

    Args:
        tokenizer: A tokenizer with `tokenize` and `pack`.
        words: Ragged strings `(batch, words)`.

    Attributes:
        before: Pieces of all words before each word, and of all words, int32 `(words + 1,)`.
    """

    def __init__(self, tokenizer, words: tf.RaggedTensor):
        self._tokenizer = tokenizer
        pieces = tokenizer.tokenize(words)
        owners = pieces["word_ids"]
        starts = tf.gather(tf.cast(words.row_starts(), tf.int32), tf.cast(owners.value_rowids(), tf.int32))
        self._values = {name: value.values for name, value in pieces.items()} | {"word_ids": owners.values + starts}
        size = tf.size(words.values)
        counts = tf.math.bincount(self._values["word_ids"], minlength=size, maxlength=size, dtype=tf.int32)
        self.before = tf.cumsum(tf.pad(counts, [[1, 0]]))

    def packed(self, first: tf.Tensor, last: tf.Tensor, counts_from: tf.Tensor, counts_to: tf.Tensor) -> dict:
        """Return windows of words as a model takes them, one a row, with special tokens and padding.

        With the inputs come "first_pieces", True where a word begins; "answers", True there where the window answers
        for the word; and "words", the numbers of those words, row by row.
        """
        begins, ends = tf.gather(self.before, first), tf.gather(self.before, last)
        places = tf.ragged.range(begins, ends, row_splits_dtype=tf.int64)
        rows = {name: places.with_values(tf.gather(value, places.values)) for name, value in self._values.items()}
        packed = self._tokenizer.pack(rows)
        words = packed["word_ids"]
        begin = first_pieces(words)
        answers = begin & (words >= counts_from[:, None]) & (words < counts_to[:, None])
        return packed | {"first_pieces": begin, "answers": answers, "words": tf.boolean_mask(words, answers)}
