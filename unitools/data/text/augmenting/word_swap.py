"""Words that change places."""

from typing import Any

import tensorflow as tf

from unitools.core.checks import check_integer, check_number
from unitools.core.component import register
from unitools.data.text.augmenting.text_augmenter import TextAugmenter
from unitools.data.text.augmenting.word_draws import may_change, pick, word_draws, word_places


@register
class WordSwap(TextAugmenter):
    """Lets words change places with a neighbour.

    Why: a model that has seen words in slightly other orders leans less on exact sequences.

    Each word asks, with probability `rate`, to change places with a later word not further than `distance`. Of several
    wishes for one place, one is granted, so that every word moves once at most. Labels move along. In tagged data only
    words outside of entities move, and not past an entity, so that every entity stays as it is and where it is.

    Args:
        rate: Probability of each word to ask for a change, in [0, 1]. Use 0 to turn it off.
        distance: Greatest distance of two words that change places, >= 1. Default 1, neighbours only.
        outside: Label of the words that belong to no entity. Default 0, the number of O in a reader's `tags`. None for
            tags that mark no entities, such as parts of speech: then any word may move, its label with it.
        seed: Integer that fixes the draws of `call`; see `TextAugmenter`.

    Call arguments and shapes: see `TextAugmenter`.

    Raises:
        ValueError: An argument is out of range.

    Example:
    >>> swap = ut.data.WordSwap(1.0)
    >>> swap(tf.constant([["two", "words"], ["one", ""]]), training=True).numpy().tolist()
    [[b'words', b'two'], [b'one', b'']]

    Source:
        Wei, Zou 2019, EDA, https://arxiv.org/abs/1901.11196 (random swap), with swaps that stay near.
    """

    def __init__(self, rate: float, *, distance: int = 1, outside: int | None = 0, **kwargs: Any):
        super().__init__(**kwargs)
        self.rate = check_number("rate", rate, 0, 1, advice="Use rate=0 to turn it off.")
        self.distance = check_integer("distance", distance, 1, 2**31 - 1)
        self.outside = outside if outside is None else check_integer("outside", outside, 0)

    def augment_words(self, words: tf.RaggedTensor, labels: tf.RaggedTensor | None, seeds: tf.Tensor) -> tuple:
        """Swap words; a pure function."""
        places = self._places(words, labels, seeds)
        moved = words.with_values(tf.gather(words.values, places))
        return moved, None if labels is None else labels.with_values(tf.gather(labels.values, places))

    def _places(self, words, labels, seeds):
        """Return for each place the place that its word comes from."""
        draws = word_draws(words, seeds, 3)
        here = tf.range(tf.size(words.values, tf.int64))
        free = may_change(words, labels, self.outside)
        partner = here + 1 + pick(draws[:, 1], self.distance)
        ends = tf.gather(words.row_limits(), words.value_rowids())
        inside = partner < ends
        partner = tf.where(inside, partner, here)
        # As many words of entities before both, and neither one itself: nothing but free words from one to the other.
        bound = tf.cumsum(tf.cast(~free, tf.int64))
        wish = inside & free & (tf.gather(bound, partner) == bound) & (draws[:, 0] < self.rate)
        return self._granted(here, partner, wish, _ranks(draws[:, 2], word_places(words)))

    @staticmethod
    def _granted(here, partner, wish, ranks):
        """Return the places after the wishes that rank first at both of their places."""
        ranks = tf.where(wish, ranks, -1)
        size = tf.size(here)
        best = tf.maximum(
            tf.math.unsorted_segment_max(ranks, here, size), tf.math.unsorted_segment_max(ranks, partner, size)
        )
        granted = wish & (ranks == best) & (ranks == tf.gather(best, partner))
        first, second = tf.boolean_mask(here, granted), tf.boolean_mask(partner, granted)
        updates = tf.concat([second, first], axis=0)
        return tf.tensor_scatter_nd_update(here, tf.concat([first, second], axis=0)[:, None], updates)


def _ranks(draws, places):
    """Return integers >= 0 in the order of the draws, no two the same in a text."""
    return tf.bitwise.left_shift(tf.cast(draws * 2.0**24, tf.int64), tf.constant(32, tf.int64)) + places
