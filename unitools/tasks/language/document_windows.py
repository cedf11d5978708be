"""Windows over long documents, planned in the graph for all documents of a batch at once."""

from typing import NamedTuple

import tensorflow as tf


class DocumentWindows(NamedTuple):
    """Windows of whole words, one a row, as int32 vectors. Words are counted through the whole batch.

    A window holds the words from `first` up to, not including, `last`, and answers for those from `counts_from` up to
    `counts_to`. Over all windows every word is answered for once.
    """

    first: tf.Tensor
    last: tf.Tensor
    counts_from: tf.Tensor
    counts_to: tf.Tensor


def document_windows(pieces_before: tf.Tensor, splits: tf.Tensor, room: int, overlap: int) -> DocumentWindows:
    """Return the windows that `ut.data.plan_windows` plans for each document; none for a document without words.

    Args:
        pieces_before: Pieces of all words before each word, and of all words at the end, int32 `(words + 1,)`.
        splits: Word at which each document begins, and the end, int32 `(documents + 1,)`.
        room: Pieces that a window may hold.
        overlap: Words that neighbouring windows share.
    """
    starts, ends = splits[:-1], splits[1:]
    windows = tf.TensorArray(tf.int32, size=1, dynamic_size=True, element_shape=(None, 3), infer_shape=False)
    state = (0, starts, starts < ends, windows.write(0, tf.zeros((tf.size(starts), 3), tf.int32)))

    def body(number, first, open_, windows):
        last = _last_word(pieces_before, first, ends, room)
        windows = windows.write(number, tf.stack([first, last, tf.cast(open_, tf.int32)], axis=1))
        open_ = open_ & (last < ends)
        return (
            number + 1,
            tf.where(open_, _next_first(pieces_before, first, last, room, overlap), first),
            open_,
            windows,
        )

    *_, windows = tf.while_loop(lambda number, first, open_, windows: tf.reduce_any(open_), body, state)
    table = tf.transpose(windows.stack(), [1, 0, 2])
    first, last, used = tf.unstack(table, axis=2)
    from_, to = _edges(first, last, used > 0, starts, ends)
    return DocumentWindows(*(tf.boolean_mask(each, used > 0) for each in (first, last, from_, to)))


def _last_word(before, first, ends, room):
    """Return one past the last word that a window from `first` can hold, one word at least."""
    fits = tf.searchsorted(before, tf.gather(before, first) + room, side="right") - 1
    return tf.minimum(tf.maximum(fits, first + 1), ends)


def _next_first(before, first, last, room, overlap):
    """Return where the next window begins, such that it holds the word `last` too."""
    needed = tf.gather(before, tf.minimum(last + 1, tf.size(before) - 1)) - room
    fits = tf.minimum(tf.searchsorted(before, needed, side="left"), last)
    return tf.maximum(tf.maximum(fits, last - overlap), first + 1)


def _edges(first, last, used, starts, ends):
    """Return from where and up to where each window answers: of what two share, each answers for half."""
    middles = (first[:, 1:] + last[:, :-1] + 1) // 2
    follows = tf.pad(used[:, 1:], [[0, 0], [0, 1]])
    return (
        tf.concat([starts[:, None], middles], axis=1),
        tf.where(follows, tf.concat([middles, ends[:, None]], axis=1), ends[:, None]),
    )
