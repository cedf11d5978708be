"""Words to word pieces, longest match first, all words of a batch at once, in the graph."""

import tensorflow as tf

from unitools.core.layers import rare_branch

MAX_WORD_LENGTH = 100  # longer words are unknown, as in the reference
_AT_ONCE = 4
"""Characters that are read between two looks at which words are done: fewer and larger operations."""
_END, _ID, _WORD = range(3)  # columns of a piece


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
    some_unknown = tf.reduce_any(found[:, _ID] < 0) | (tf.size(walked) < tf.size(lengths))
    found = tf.cond(
        some_unknown,
        lambda: _with_unknown(found, lengths, words.word_ends, tf.constant(unknown_id)),
        lambda: tf.identity(found),
    )
    ends, ids, numbers = _in_order(found, tf.size(words.symbols))
    before = tf.pad(tf.stack([ends, numbers]), [[0, 0], [1, 0]], constant_values=-1)[:, : tf.size(ends)]
    starts = tf.where(before[1] == numbers, before[0], tf.gather(words.word_starts, numbers))
    return starts, ends, ids, numbers


def _walk(words, walked, trie):
    """Return (end, id, word) of every piece, by the step that ends it; id -1 where a word fails."""
    # One more symbol, for words that have been read up to the end of the last text.
    symbols, starts = tf.pad(words.symbols, [[0, 1]]), tf.gather(words.word_starts, walked)
    nodes, none = (tf.fill(tf.shape(walked), value) for value in (trie.first_root, -1))
    found = tf.TensorArray(tf.int32, size=1, dynamic_size=True, element_shape=[None, 3], infer_shape=False)
    found = found.write(0, tf.zeros([0, 3], tf.int32))
    state = (walked, tf.gather(words.word_ends, walked), nodes, starts, none, starts)
    _, _, found = tf.while_loop(
        lambda turn, state, found: tf.size(state[0]) > 0,
        lambda turn, state, found: (turn + 1, *_turn(turn, state, found, symbols, trie)),
        (1, state, found),
        shape_invariants=(tf.TensorShape([]), (tf.TensorShape([None]),) * len(state), None),
    )
    return found.concat()


def _turn(turn, state, found, symbols, trie):
    """Read a few characters of every word, note the pieces that end, and leave out the words that are done."""
    word, end, *walk = state
    ended = []
    for _ in range(_AT_ONCE):
        walk, piece = _step(walk, end, symbols, trie)
        ended.append(piece)
    stops, nodes, *columns = (tf.concat(column, axis=0) for column in zip(*ended, strict=True))
    rows = tf.where(stops & (nodes != _dead(trie)))[:, 0]
    columns = [*columns, tf.tile(word, [_AT_ONCE])]
    found = found.write(turn, tf.stack([tf.gather(column, rows) for column in columns], axis=1))
    left = tf.where(walk[0] != _dead(trie))[:, 0]
    return tuple(tf.gather(each, left) for each in (word, end, *walk)), found


def _step(walk, end, symbols, trie):
    """Read one character of every word; return the walk, and where it stops, its node, and the piece that ends."""
    node, at, best, best_end = walk
    slot = tf.gather(trie.base, node) + tf.gather(symbols, at)
    moves, token = tf.gather(trie.check, slot) == node, tf.gather(trie.accept, slot)
    at += tf.cast(moves, tf.int32)
    longer = moves & (token >= 0)
    best, best_end = tf.where(longer, token, best), tf.where(longer, at, best_end)
    stops = ~moves | (at == end)
    piece = stops, node, best_end, best
    done = (best < 0) | (best_end == end)
    node = tf.where(stops, tf.where(done, _dead(trie), trie.next_root), slot)
    return (node, tf.where(stops, best_end, at), tf.where(stops, -1, best), best_end), piece


def _dead(trie):
    """Return the node of words that are done: the last slot, from which nothing leads on."""
    return len(trie.base) - 1


@rare_branch
def _with_unknown(found, lengths, word_ends, unknown_id):
    """Return the pieces with one that is unknown in place of those of words that failed or are too long."""
    failed = tf.gather(found[:, _WORD], tf.where(found[:, _ID] < 0)[:, 0])
    too_long = tf.cast(tf.where(lengths > MAX_WORD_LENGTH)[:, 0], tf.int32)
    unknown = tf.concat([failed, too_long], axis=0)
    marks = tf.ones_like(unknown, tf.bool)
    is_unknown = tf.tensor_scatter_nd_update(tf.zeros_like(lengths, tf.bool), unknown[:, None], marks)
    found = tf.gather(found, tf.where(~tf.gather(is_unknown, found[:, _WORD]))[:, 0])
    rest = tf.stack([tf.gather(word_ends, unknown), tf.fill(tf.shape(unknown), unknown_id), unknown], axis=1)
    return tf.concat([found, rest], axis=0)


def _in_order(pieces, count):
    """Return end, id and word of the pieces sorted by their end, of which no two are alike."""
    place = tf.scatter_nd(pieces[:, : _END + 1] - 1, tf.range(1, tf.shape(pieces)[0] + 1), [count])
    order = tf.gather(place, tf.where(place > 0)[:, 0]) - 1
    return tf.unstack(tf.gather(pieces, order), num=3, axis=1)
