"""Rows of words: those of a reader, and those of a batch padded for a model."""

from typing import Any

import tensorflow as tf

from unitools.core.checks import fail
from unitools.data.text.token_table import AT_A_TIME


def reader_words(reader: Any, splitter: Any) -> list[tuple[str, ...]]:
    """Return the words of each example of a reader.

    Args:
        reader: A reader of tagged sentences, or of texts.
        splitter: `WordSplitter` for texts.

    Raises:
        ValueError: The reader has pairs of texts, or neither words nor texts.
    """
    if hasattr(reader, "sentences"):
        return [words for words, _ in reader.sentences]
    if not hasattr(reader, "texts") or getattr(reader, "is_pair", False):
        fail("reader", reader, "a ColumnText, or a TextTable of single texts", "A model of words reads one text.")
    rows = []
    for start in range(0, len(reader.texts), AT_A_TIME):
        words = splitter.split(tf.constant(reader.texts[start : start + AT_A_TIME]))["words"]
        rows += [tuple(word.decode() for word in row) for row in words.to_list()]
    return rows


def pad_rows(parts: dict, longest: int | None, *, fixed: bool) -> dict[str, tf.Tensor]:
    """Return the inputs of a model, one column at least, and how many words were left out.

    Args:
        parts: Dictionary of ragged tensors whose rows have one length; "word_ids" are padded with -1, others with 0.
        longest: Most words a row, or None.
        fixed: Whether each row is padded to `longest`, rather than to the longest of the batch.
    """
    ids = parts["token_ids"]
    sizes = tf.cast(ids.row_lengths(), tf.int32)
    kept = sizes if longest is None else tf.minimum(sizes, longest)
    width = longest if fixed else tf.reduce_max(tf.pad(kept, [[0, 1]], constant_values=1))
    inside = tf.sequence_mask(kept, width)
    places = tf.cast(ids.row_starts(), tf.int32)[:, None] + tf.range(width)[None]
    places = tf.where(inside, places, tf.size(ids.values))  # a blank one after the last

    def padded(name, values):
        ends = [[0, 1]] + [[0, 0]] * (values.shape.rank - 1)
        return tf.gather(tf.pad(values, ends, constant_values=-1 if name == "word_ids" else 0), places)

    packed = {name: padded(name, part.values) for name, part in parts.items()}
    return packed | {"padding_mask": inside, "num_truncated": sizes - kept}
