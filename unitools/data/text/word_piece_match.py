"""Words to word pieces, longest match first, all words of a batch at once, in the graph."""

import tensorflow as tf

MAX_WORD_LENGTH = 100  # longer words are unknown, as in the reference


def match_pieces(words, trie, unknown_id: int):
    """Return start, end, id and word of every piece, in the order of the text.

    Args:
        words: What `split_words` returned.
        trie: `WordPieceTrie`.
        unknown_id: Id of words that cannot be made of pieces.
    """
    lengths = words.word_ends - words.word_starts
    walked = tf.cast(tf.where(lengths <= MAX_WORD_LENGTH)[:, 0], tf.int32)
    found = _walk(words, walked, trie)
    failed = tf.gather(found[:, 3], tf.where(found[:, 2] < 0)[:, 0])
    too_long = tf.cast(tf.where(lengths > MAX_WORD_LENGTH)[:, 0], tf.int32)
    unknown = tf.concat([failed, too_long], axis=0)
    is_unknown = tf.tensor_scatter_nd_update(
        tf.zeros_like(lengths, tf.bool), unknown[:, None], tf.ones_like(unknown, tf.bool)
    )
    found = tf.gather(found, tf.where(~tf.gather(is_unknown, found[:, 3]))[:, 0])
    starts, ends = tf.gather(words.word_starts, unknown), tf.gather(words.word_ends, unknown)
    rest = tf.stack([starts, ends, tf.fill(tf.shape(unknown), unknown_id), unknown], axis=1)
    return _in_order(tf.concat([found, rest], axis=0), tf.size(words.symbols))


def _walk(words, walked, trie):
    """Return (start, end, id, word) of every piece, by the step that ends it; id -1 where a word fails."""
    starts = tf.gather(words.word_starts, walked)
    nodes = tf.fill(tf.shape(walked), trie.first_root)
    none = tf.fill(tf.shape(walked), -1)
    found = tf.TensorArray(tf.int32, size=1, dynamic_size=True, element_shape=[None, 4], infer_shape=False)
    found = found.write(0, tf.zeros([0, 4], tf.int32))
    state = (walked, tf.gather(words.word_ends, walked), nodes, starts, starts, none, starts)
    _, _, found = tf.while_loop(
        lambda step, state, found: tf.size(state[0]) > 0,
        lambda step, state, found: (step + 1, *_step(step, state, found, words.symbols, trie)),
        (1, state, found),
        shape_invariants=(tf.TensorShape([]), (tf.TensorShape([None]),) * len(state), None),
    )
    return found.concat()


def _step(step, state, found, symbols, trie):
    """Read one character of every word that is not yet done."""
    word, end, node, at, start, best, best_end = state
    slot = tf.gather(trie.base, node) + tf.gather(symbols, at)
    moves = tf.gather(trie.check, slot) == node
    at += tf.cast(moves, tf.int32)
    token = tf.where(moves, tf.gather(trie.accept, slot), -1)
    best, best_end = tf.where(token >= 0, token, best), tf.where(token >= 0, at, best_end)
    stops = ~moves | (at == end)
    found = found.write(step, _where(stops, start, best_end, best, word))
    goes_on = ~stops | ((best >= 0) & (best_end < end))
    node = tf.where(stops, trie.next_root, slot)
    at, start = tf.where(stops, best_end, at), tf.where(stops, best_end, start)
    best = tf.where(stops, -1, best)
    left = tf.where(goes_on)[:, 0]
    return tuple(tf.gather(each, left) for each in (word, end, node, at, start, best, best_end)), found


def _where(condition, *columns):
    rows = tf.where(condition)[:, 0]
    return tf.stack([tf.gather(column, rows) for column in columns], axis=1)


def _in_order(pieces, count):
    """Sort pieces by their start, of which no two are alike."""
    place = tf.scatter_nd(pieces[:, :1], tf.range(1, tf.shape(pieces)[0] + 1), [count])
    order = tf.gather(place, tf.where(place > 0)[:, 0]) - 1
    return tf.unstack(tf.gather(pieces, order), num=4, axis=1)
