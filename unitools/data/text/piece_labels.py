"""Labels of words on the tokens that the words are encoded as, in flat arrays."""

import numpy as np

from unitools.core.checks import fail
from unitools.data.text.token_table import IGNORED, TokenTable


def label_pieces(encoded, labels, unknown_id=None, name_word=str):
    """Return a `TokenTable` with the label of each word at its first piece; the other pieces are ignored.

    Args:
        encoded: Ragged ids (n, words), or pieces (n, words, pieces).
        labels: int32 array, the labels of all words.
        unknown_id: Id of a word that has no pieces. Default None: such a word is an error, as its label would be lost.
        name_word: Function from the number of a word to what the error calls it.
    """
    sentences = encoded.row_splits.numpy().astype(np.int64)
    if encoded.ragged_rank == 1:
        values = encoded.values.numpy().astype(np.int32)
        return TokenTable({"token_ids": values}, sentences, labels.astype(np.int32), True)
    words = encoded.values.row_splits.numpy().astype(np.int64)
    values = encoded.flat_values.numpy().astype(np.int32)
    empty = np.flatnonzero(np.diff(words) == 0)
    if len(empty):
        if unknown_id is None:
            expected = f"a function that gives each word a piece ({len(empty)} have none)"
            fail("encode", name_word(empty[0]), expected, 'Give special_ids={"unknown": ...}, the id to put there.')
        values = np.insert(values, words[empty], unknown_id)
        words = np.concatenate([[0], np.cumsum(np.maximum(np.diff(words), 1))])
    on_tokens = np.full(len(values), IGNORED, np.int32)
    on_tokens[words[:-1]] = labels
    return TokenTable({"token_ids": values}, words[sentences], on_tokens, True)
