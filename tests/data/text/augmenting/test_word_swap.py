"""Swapped words against swaps in plain Python, and what stays."""

import numpy as np
import pytest
import tensorflow as tf

from tests.data.text.augmenting.helpers import changed, numbered, seeds_of, within_bounds
from unitools.data import ColumnText, WordSwap
from unitools.data.text.augmenting.word_draws import word_draws


def _swapped(size, draws, rate, distance, free):
    """Return the order after swaps: every wish, and of those for one place that with the largest draw."""
    wishes = {}
    for place in range(size):
        partner = place + 1 + int(draws[place, 1] * distance)
        if draws[place, 0] < rate and partner < size and all(free[place : partner + 1]):
            wishes[place] = (draws[place, 2], partner)
    order = list(range(size))
    for place, (draw, partner) in wishes.items():
        rivals = [other for start, (other, end) in wishes.items() if start != place and {start, end} & {place, partner}]
        if all(draw > other for other in rivals):
            order[place], order[partner] = partner, place
    return order


@pytest.mark.parametrize(("rate", "distance"), [(0.3, 1), (1.0, 1), (0.6, 2), (1.0, 5)])
@pytest.mark.parametrize("tagged", [False, True])
def test_against_plain_python(rate, distance, tagged):
    random = np.random.default_rng(1)
    words = [[str(place) for place in range(size)] for size in random.integers(0, 30, 60)]
    labels = [random.choice([0, 0, 0, 1, 2], len(row)).tolist() for row in words]
    new, tags = changed(WordSwap(rate, distance=distance), words, labels if tagged else None)
    draws = word_draws(tf.ragged.constant(words, tf.string, ragged_rank=1), seeds_of(60), 3).numpy()
    start = 0
    for row, kinds, result in zip(words, labels, new, strict=True):
        free = [not tagged or kind == 0 for kind in kinds]
        order = _swapped(len(row), draws[start : start + len(row)].astype(float), rate, distance, free)
        assert result == [row[place] for place in order]
        start += len(row)
    assert tags == (labels if tagged else None) and new != words


def test_every_word_stays_near_and_moves_once():
    words = [[str(place) for place in range(500)] for _ in range(20)]
    for distance in (1, 4):
        for row in changed(WordSwap(0.8, distance=distance), words)[0]:
            order = [int(word) for word in row]
            assert sorted(order) == list(range(500)) and [order[place] for place in order] == list(range(500))
            assert max(abs(place - word) for place, word in enumerate(order)) == distance


def test_lone_wishes_come_at_the_rate():
    words = [["a", "b"]] * 4_000
    assert within_bounds(changed(WordSwap(0.2), words)[0].count(["b", "a"]), 4_000, 0.2)


def test_entities_of_real_sentences_stay(shared_data):
    reader = ColumnText(shared_data("conll2003-en") / "train.iob2.txt")
    words, labels = numbered(reader, 2_000)
    new, tags = changed(WordSwap(1.0, distance=3), words, labels)
    assert tags == labels and new != words
    for old, kinds, row in zip(words, labels, new, strict=True):
        assert sorted(row) == sorted(old)
        assert all(before == after for before, after, kind in zip(old, row, kinds, strict=True) if kind)


def test_other_tags_move_with_their_words():
    words, labels = [list("abcdefgh")] * 50, [list(range(8))] * 50
    new, tags = changed(WordSwap(1.0, outside=None), words, labels)
    assert new != words and tags == [[ord(word) - ord("a") for word in row] for row in new]
