"""Tagged sentences to the tokens that batches are made of."""

import numpy as np

from unitools.data.text.augmented_texts import check_augmenter
from unitools.data.text.augmented_words import AugmentedWords
from unitools.data.text.piece_labels import encode_words
from unitools.data.text.sentence_windows import into_windows
from unitools.data.text.special_tokens import add_special


def tagged_table(sentences, numbers, encode, ids, *, max_length=None, overlap=None, augment=None):
    """Return the `TokenTable` of tagged sentences.

    Args:
        sentences: Pairs of words and tags.
        numbers: Dictionary of the number of each tag.
        encode: Function as for `encode_words`.
        ids: What `checked_ids` gave.
        max_length: Greatest number of tokens, special ones included, or None.
        overlap: Words that the windows of a long sentence share, or None to cut it.
        augment: A `TextAugmenter`, or None.
    """
    if augment is not None:
        check_augmenter(augment)
    labels = np.array([numbers[tag] for _, tags in sentences for tag in tags], np.int32)
    words = [words for words, _ in sentences]
    if overlap is not None:
        words, labels = into_windows(encode, words, labels, ids, max_length, overlap)
    table = encode_words(encode, words, labels, ids["unknown"])
    add_special(table, ids, max_length)
    if augment is not None:
        table.rows = AugmentedWords(augment, encode, words, labels, ids, max_length)
    return table
