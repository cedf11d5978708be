"""Labels to pieces and back is the identity; windows lose no word and count none twice."""

import random

import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.data.text.reference_tokenizer import model_folder, random_texts


def test_labels_of_first_pieces_only():
    aligned = ut.data.align_labels([[4, 7], [5]], [[-1, 0, 0, 1, -1], [-1, 0, -1, -1, -1]], ignore_class=-100)
    assert aligned.numpy().tolist() == [[-100, 4, -100, 7, -100], [-100, 5, -100, -100, -100]]


@pytest.mark.parametrize("seed", range(20))
def test_there_and_back(seed):
    draw = np.random.default_rng(seed)
    sizes = draw.integers(0, 12, draw.integers(1, 8))
    labels = [draw.integers(0, 9, size).tolist() for size in sizes]
    pieces = [np.repeat(np.arange(size), draw.integers(1, 5, size)).tolist() for size in sizes]
    word_ids = tf.ragged.constant([[-1, *row, -1] for row in pieces], ragged_rank=1, dtype=tf.int32).to_tensor(-1)
    aligned = ut.data.align_labels(labels, word_ids)
    assert int(tf.reduce_sum(tf.cast(aligned >= 0, tf.int32))) == sizes.sum()
    assert ut.data.unalign_labels(aligned, word_ids, sizes, fill=-5).to_list() == labels


def test_there_and_back_through_the_tokenizer():
    tokenizer = ut.data.WordPieceTokenizer.from_folder(model_folder(), max_length=512)
    words = [text.split() for text in random_texts(200, seed=5)]
    labels = [list(range(len(row))) for row in words]
    pieces = tokenizer.tokenize(words)
    back = ut.data.unalign_labels(
        ut.data.align_labels(labels, pieces["word_ids"]), pieces["word_ids"], list(map(len, words)), fill=-7
    ).to_list()
    have = [set(row) for row in pieces["word_ids"].to_list()]
    assert back == [[label if label in kept else -7 for label in row] for row, kept in zip(labels, have, strict=True)]


def test_missing_labels_are_an_error():
    with pytest.raises(tf.errors.InvalidArgumentError, match="fewer labels than words"):
        ut.data.align_labels([[1]], [[0, 1]])


def test_words_cut_off_are_filled():
    assert ut.data.unalign_labels([[3, 3]], [[0, 0]], [3], fill=0).to_list() == [[3, 0, 0]]
    assert ut.data.unalign_labels([[]], [[]], [0], fill=0).to_list() == [[]]


def test_alignment_in_a_graph():
    aligned = tf.function(ut.data.align_labels)(tf.constant([[4, 7]]), tf.constant([[0, 0, 1]]))
    assert aligned.numpy().tolist() == [[4, -1, 7]]


@pytest.mark.parametrize("seed", range(50))
def test_windows_are_a_partition(seed):
    draw = random.Random(seed)
    counts = draw.choices(range(5), k=draw.randint(0, 300))
    room, overlap = draw.randint(1, 40), draw.randint(0, 20)
    windows = ut.data.plan_windows(counts, room, overlap=overlap)
    document = list(range(len(counts)))
    assert ut.data.join_windows(windows, [document[first:last] for first, last, _, _ in windows]) == document
    for first, last, begin, end in windows:
        assert first <= begin <= end <= last
        assert sum(counts[first:last]) <= room or last - first == 1
    assert all(before[1] - after[0] <= overlap for before, after in zip(windows, windows[1:], strict=False))
    assert [window[0] for window in windows] == sorted({window[0] for window in windows})


def test_short_document_is_one_window():
    assert ut.data.plan_windows([2, 2], room=4) == [(0, 2, 0, 2)]
    assert ut.data.plan_windows([], room=4) == [(0, 0, 0, 0)]


def test_long_document_is_split_evenly():
    windows = ut.data.plan_windows([1] * 10_000, room=126, overlap=16)
    assert all(before[1] - after[0] == 16 for before, after in zip(windows, windows[1:], strict=False))
    assert len(windows) == 1 + -(-(10_000 - 126) // 110)


@pytest.mark.parametrize(("room", "overlap", "name"), [(0, 1, "room"), (5, -1, "overlap")])
def test_bad_arguments_are_named(room, overlap, name):
    with pytest.raises(ValueError, match=f"`{name}`"):
        ut.data.plan_windows([1], room, overlap=overlap)


def test_wrong_number_of_values():
    with pytest.raises(ValueError, match="each of the 2 words"):
        ut.data.join_windows([(0, 2, 0, 2)], [["a"]])
