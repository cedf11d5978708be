"""Sentences too long for a model, as windows that overlap."""

import numpy as np
import tensorflow as tf

from unitools.core.checks import check_integer, fail
from unitools.data.text.token_table import AT_A_TIME, IGNORED, unpacked
from unitools.data.text.word_windows import plan_windows


def into_windows(encode, sentences, labels, ids, max_length, overlap):
    """Return sentences and labels, those that are too long as several windows; a word is labelled in one of them.

    Args:
        encode: Function as for `encode_words`.
        sentences: Sequences of words.
        labels: int32 array, the labels of all words.
        ids: What `checked_ids` gave.
        max_length: Greatest number of tokens, special ones included, or None for the tokenizer's own.
        overlap: Words that neighbouring windows share.
    """
    check_integer("overlap", overlap, 0)
    limits = [limit for limit in (max_length, getattr(encode, "max_length", None)) if limit is not None]
    if not limits:
        fail("overlap", overlap, "None where no length is too long", "Give `max_length`, the model's.")
    counts, special = count_pieces(encode, sorted({word for words in sentences for word in words}), ids["unknown"])
    room = min(limits) - special - (ids["start"] is not None) - (ids["end"] is not None)
    check_integer("max_length", min(limits), min(limits) - room + 1, advice="Special tokens and a piece need room.")
    new_sentences, new_labels, begin = [], [], 0
    for words in sentences:
        own = labels[begin : begin + len(words)]
        begin += len(words)
        for first, last, counts_from, counts_to in plan_windows(
            [counts[word] for word in words], room, overlap=overlap
        ):
            places = np.arange(first, last)
            new_sentences.append(words[first:last])
            new_labels.append(np.where((places >= counts_from) & (places < counts_to), own[first:last], IGNORED))
    return new_sentences, np.concatenate(new_labels).astype(np.int32)


def count_pieces(encode, words, unknown_id):
    """Return the number of tokens of each word by word, and how many special ones a row has.

    Args:
        encode: Function as for `encode_words`. Each word is encoded alone.
        words: Different words.
        unknown_id: Id of a word that has no pieces, or None.
    """
    counts, special = [], 0
    for start in range(0, len(words), AT_A_TIME):
        chunk = words[start : start + AT_A_TIME]
        result = encode(tf.RaggedTensor.from_row_lengths(tf.constant(chunk), np.ones(len(chunk), np.int64)))
        tokens = unpacked(result, ("token_ids", "word_ids"))
        if "word_ids" in tokens:
            real = tf.cast(tokens["word_ids"] >= 0, tf.int32)
            own = tf.reduce_sum(real, axis=1).numpy()
            special = max(special, int(np.max(real.row_lengths() - own)))
        else:
            ids = tokens["token_ids"]
            own = ids.values.row_lengths().numpy() if ids.ragged_rank == 2 else ids.row_lengths().numpy()
            own = own if unknown_id is None else np.maximum(own, 1)
        counts += own.tolist()
    return dict(zip(words, counts, strict=True)), special
