import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from unitools.tasks.language.document_windows import document_windows


def planned(counts, room, overlap):
    """The same in Python: `plan_windows` for each document that has words."""
    rows, start = [], 0
    for document in counts:
        if document:
            windows = ut.data.plan_windows(document, room, overlap=overlap)
            rows += [tuple(start + word for word in window) for window in windows]
        start += len(document)
    return rows


def in_graph(counts, room, overlap):
    before = np.cumsum([0, *(count for document in counts for count in document)]).astype("int32")
    splits = np.cumsum([0, *map(len, counts)]).astype("int32")
    function = tf.function(document_windows)
    windows = function(tf.constant(before), tf.constant(splits), room, overlap)
    return [tuple(map(int, row)) for row in zip(*windows, strict=True)]


@pytest.mark.parametrize("seed", range(40))
def test_windows_are_those_of_the_plan(seed):
    random = np.random.default_rng(seed)
    documents = random.integers(0, 6)
    counts = [random.integers(0, 4, random.integers(0, 40)).tolist() for _ in range(documents)]
    for document in counts:
        if document and random.random() < 0.3:
            document[random.integers(len(document))] = 30  # a word longer than any window
    room, overlap = int(random.integers(1, 15)), int(random.integers(0, 8))
    assert in_graph(counts, room, overlap) == planned(counts, room, overlap)


def test_every_word_of_a_long_document_counts_once():
    counts = np.random.default_rng(0).integers(1, 9, 10_000).tolist()
    windows = in_graph([[1, 1], counts], room=126, overlap=16)
    assert [word for _, _, begin, end in windows for word in range(begin, end)] == list(range(10_002))
    assert all(first <= begin < end <= last for first, last, begin, end in windows)
