"""Batches of words, and what augmenters make of them, as plain lists."""

import numpy as np
import tensorflow as tf


def seeds_of(count, epoch=5):
    """Return a pair of seeds for each of `count` examples."""
    return tf.constant(np.stack([np.full(count, epoch), np.arange(count)], axis=1), tf.int32)


def changed(augmenter, words, labels=None, seeds=None):
    """Return the words, and the labels or None, of lists of words."""
    seeds = seeds_of(len(words)) if seeds is None else seeds
    ragged = tf.ragged.constant(words, tf.string, ragged_rank=1)
    tags = None if labels is None else tf.ragged.constant(labels, tf.int32, ragged_rank=1)
    new, tags = augmenter.augment_words(ragged, tags, seeds)
    new = [[word.decode() for word in row] for row in new.to_list()]
    return new, None if tags is None else tags.to_list()


def numbered(reader, count=None):
    """Return words and label numbers of a reader's sentences."""
    sentences = reader.sentences[:count]
    words = [list(words) for words, _ in sentences]
    return words, [[reader.tag2id[tag] for tag in tags] for _, tags in sentences]


def within_bounds(hits, trials, rate):
    """Tell whether a number of hits is within five standard deviations of a binomial's mean."""
    return abs(hits - rate * trials) < 5 * np.sqrt(trials * rate * (1 - rate))
