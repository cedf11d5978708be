"""Word pieces to dense arrays for a model: special tokens, truncation, padding."""

import tensorflow as tf

# Columns of a piece: id, start, end, word, segment.
_COLUMNS = 5


def pack_pieces(first, second, *, length: int, fixed: bool, ids: dict) -> dict[str, tf.Tensor]:
    """Return the model's inputs, and what was left out.

    Args:
        first: Dictionary of ragged `token_ids`, `offsets`, `word_ids`.
        second: The same for the second text of each pair, or None.
        length: Longest row, special tokens included.
        fixed: Whether every row is padded to `length`, rather than to the longest of the batch.
        ids: Ids of the special tokens "first", "last" and "pad".
    """
    texts = [first] if second is None else [first, second]
    sizes = [tf.cast(text["token_ids"].row_lengths(), tf.int32) for text in texts]
    limits = _limits(sizes, length - 1 - len(texts))
    rows = [_special(ids["first"], 0, tf.size(sizes[0]))]
    for segment, (text, limit) in enumerate(zip(texts, limits, strict=True)):
        rows += [_shortened(text, limit, segment), _special(ids["last"], segment, tf.size(limit))]
    joined = tf.concat(rows, axis=1)
    shape = [None, length if fixed else None, _COLUMNS]
    blank = tf.constant([ids["pad"], 0, 0, -1, 0], tf.int32)
    dense = joined.to_tensor(default_value=blank, shape=shape)
    return {
        "token_ids": dense[..., 0],
        "padding_mask": tf.sequence_mask(joined.row_lengths(), tf.shape(dense)[1]),
        "segment_ids": dense[..., 4],
        "offsets": dense[..., 1:3],
        "word_ids": dense[..., 3],
        "num_truncated": tf.add_n(sizes) - tf.add_n(limits),
    }


def _limits(sizes, room):
    """Return how many pieces of each text stay: the longer text of a pair is cut first, as in the reference."""
    if len(sizes) == 1:
        return [tf.minimum(sizes[0], room)]
    short, long = tf.minimum(*sizes), tf.maximum(*sizes)
    half = room // 2
    # Two long texts share the room; of an odd room, the longer text gets the odd piece.
    keep_short = tf.where(short + long <= room, short, tf.minimum(short, half))
    keep_long = tf.where(short + long <= room, long, tf.minimum(long, room - keep_short))
    swapped = sizes[0] > sizes[1]
    return [tf.where(swapped, keep_long, keep_short), tf.where(swapped, keep_short, keep_long)]


def _shortened(text, limit, segment):
    ids = text["token_ids"]
    columns = [ids.values[:, None], text["offsets"].values, text["word_ids"].values[:, None]]
    table = tf.concat([*columns, tf.fill([tf.size(ids.values), 1], segment)], axis=1)
    owner = tf.cast(ids.value_rowids(), tf.int32)
    place = tf.range(tf.size(owner)) - tf.gather(tf.cast(ids.row_starts(), tf.int32), owner)
    kept = tf.gather(table, tf.where(place < tf.gather(limit, owner))[:, 0])
    return tf.RaggedTensor.from_row_lengths(kept, tf.cast(limit, tf.int64), validate=False)


def _special(number, segment, rows):
    table = tf.tile(tf.constant([[number, 0, 0, -1, segment]], tf.int32), [rows, 1])
    return tf.RaggedTensor.from_row_lengths(table, tf.ones([rows], tf.int64), validate=False)
