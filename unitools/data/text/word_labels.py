"""Labels of words to labels of word pieces, and back."""

from typing import Any

import tensorflow as tf

from unitools.core.checks import check_integer, fail


def align_labels(labels: Any, word_ids: Any, *, ignore_class: int = -1) -> tf.Tensor:
    """Give the first piece of each word the word's label, and every other position the label that losses ignore.

    Why: a tagger answers once a word. Labels on the later pieces too would count long words more often.

    Args:
        labels: Integer labels, ragged or padded `(batch, words)`, or a list of lists.
        word_ids: Number of each piece's word, -1 for special tokens and padding: int32 `(batch, length)`, as a
            tokenizer's call returns it, or ragged as from `tokenize`.
        ignore_class: Label of the positions that do not count, the `ignore_class` of the loss. Default -1.

    Returns:
        Labels of the shape of `word_ids`.

    Raises:
        ValueError: The numbers of rows differ, or `ignore_class` is no integer.
        InvalidArgumentError: A row has fewer labels than words.

    Example:
    >>> from unitools.data import align_labels
    >>> align_labels([[4, 7]], [[-1, 0, 0, 1, -1]]).numpy().tolist()
    [[-1, 4, -1, 7, -1]]
    """
    check_integer("ignore_class", ignore_class)
    if isinstance(word_ids, tf.RaggedTensor):
        dense = align_labels(labels, word_ids.to_tensor(-1), ignore_class=ignore_class)
        return tf.RaggedTensor.from_tensor(dense, lengths=word_ids.row_lengths())
    labels = _dense(labels, ignore_class)
    word_ids = tf.convert_to_tensor(word_ids, tf.int32)
    if word_ids.shape.rank != 2 or not labels.shape[:1].is_compatible_with(word_ids.shape[:1]):
        fail("word_ids", word_ids.shape, f"of shape (batch, length), for labels of shape {labels.shape}")
    first = first_pieces(word_ids)
    largest = tf.reduce_max(tf.pad(tf.where(first, word_ids, -1), [[1, 0], [1, 0]], constant_values=-1))
    enough = tf.debugging.assert_less(
        largest, tf.shape(labels)[1], "There are fewer labels than words. Give each word a label."
    )
    with tf.control_dependencies([enough] if enough is not None else []):
        # A column of its own, so that a batch without words has something to gather from.
        padded = tf.pad(labels, [[0, 0], [0, 1]], constant_values=ignore_class)
    return tf.where(first, tf.gather(padded, tf.maximum(word_ids, 0), batch_dims=1), ignore_class)


def unalign_labels(labels: Any, word_ids: Any, num_words: Any, *, fill: int) -> tf.RaggedTensor:
    """Give each word the label of its first piece: the inverse of `align_labels`.

    Args:
        labels: Integer labels of pieces `(batch, length)`.
        word_ids: Number of each piece's word, -1 for special tokens and padding, `(batch, length)`.
        num_words: Words a row, `(batch,)`.
        fill: Label of words without a piece: those that were cut off, and those of control characters only.

    Returns:
        Ragged labels `(batch, words)`.

    Raises:
        ValueError: `fill` is no integer.

    Example:
    >>> from unitools.data import unalign_labels
    >>> unalign_labels([[0, 4, 9, 7, 0]], [[-1, 0, 0, 1, -1]], [3], fill=0).to_list()
    [[4, 7, 0]]
    """
    check_integer("fill", fill)
    if isinstance(word_ids, tf.RaggedTensor):
        word_ids = word_ids.to_tensor(-1)
    labels, word_ids = _dense(labels, fill), tf.convert_to_tensor(word_ids, tf.int32)
    num_words = tf.convert_to_tensor(num_words, tf.int32)
    places = tf.where(first_pieces(word_ids))
    rows, values = tf.cast(places[:, 0], tf.int32), tf.gather_nd(labels, places)
    where = tf.stack([rows, tf.gather_nd(word_ids, places)], axis=1)
    width = tf.reduce_max(tf.concat([[0], num_words, where[:, 1] + 1], axis=0))
    words = tf.tensor_scatter_nd_update(tf.fill([tf.size(num_words), width], fill), where, values)
    return tf.RaggedTensor.from_tensor(words, lengths=num_words)


def _dense(labels, blank):
    if isinstance(labels, (list, tuple)) and not any(isinstance(row, tf.Tensor) for row in labels):
        labels = tf.ragged.constant(labels, dtype=tf.int32, ragged_rank=1)
    if isinstance(labels, tf.RaggedTensor):
        return tf.cast(labels, tf.int32).to_tensor(blank)
    return tf.cast(labels, tf.int32)


def first_pieces(word_ids: tf.Tensor) -> tf.Tensor:
    """Return True at the first piece of each word, `(batch, length)`.

    Args:
        word_ids: Number of each piece's word, -1 for special tokens and padding, `(batch, length)`.
    """
    before = tf.pad(word_ids, [[0, 0], [1, 0]], constant_values=-1)[:, :-1]
    return (word_ids >= 0) & (word_ids != before)
