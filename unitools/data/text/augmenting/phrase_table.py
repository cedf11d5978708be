"""Phrases by key."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf


@dataclass(frozen=True)
class PhraseTable:
    """Phrases by key, kept as flat arrays.

    Args:
        words: Object array, the words of all phrases.
        starts: int64 array, where each phrase begins in `words`.
        lengths: int64 array, the number of words of each phrase.
        firsts: int64 array, the first phrase of each key.
        counts: int64 array, the number of phrases of each key.
    """

    words: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    firsts: np.ndarray
    counts: np.ndarray

    @classmethod
    def from_groups(cls, groups):
        """Return the table of `groups`, one list of phrases a key, each phrase a sequence of words."""
        phrases = [phrase for group in groups for phrase in group]
        lengths, counts = np.array([len(phrase) for phrase in phrases]), np.array([len(group) for group in groups])
        words = np.array([word for phrase in phrases for word in phrase], object)
        return cls(words, _starts(lengths), lengths.astype(np.int64), _starts(counts), counts.astype(np.int64))

    def spans(self, phrases):
        """Return where phrases begin, counted from the table's first word, and their lengths."""
        return tf.gather(tf.constant(self.starts), phrases), tf.gather(tf.constant(self.lengths), phrases)


def _starts(lengths):
    return (np.cumsum(lengths) - lengths).astype(np.int64)
