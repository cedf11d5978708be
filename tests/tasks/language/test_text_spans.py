import numpy as np
import pytest
import tensorflow as tf
from seqeval.metrics.sequence_labeling import get_entities

from unitools.tasks.language.text_spans import text_spans

TAGS = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]


def sentences(seed):
    """Random words, wide characters among them, and random tags of theirs."""
    random = np.random.default_rng(seed)
    words = [["".join(random.choice(list("abcé中😀"), 1 + random.integers(4))) for _ in range(size)]
             for size in random.integers(0, 9, random.integers(1, 5))]  # fmt: skip
    return words, [random.integers(0, len(TAGS), len(row)).tolist() for row in words]


def offsets_by_hand(words):
    starts = np.cumsum([0, *(len(word) + 1 for word in words)])
    return [(int(start), int(start) + len(word)) for start, word in zip(starts, words, strict=False)]


def spans_by_hand(words, tags, confidences):
    """What seqeval reads, with characters counted in Python."""
    offsets = offsets_by_hand(words)
    return [
        (kind, offsets[first][0], offsets[last][1], " ".join(words[first : last + 1]),
         float(np.mean(confidences[first : last + 1])))
        for kind, first, last in get_entities([TAGS[tag] for tag in tags])
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(25))
def test_spans_are_seqevals(seed):
    words, tags = sentences(seed)
    random = np.random.default_rng(seed)
    confidences = [random.random(len(row)).tolist() for row in words]
    offsets = [offsets_by_hand(row) for row in words]
    found = tf.function(text_spans)(
        tf.constant([" ".join(row) for row in words]),
        tf.ragged.constant(offsets, tf.int32, ragged_rank=1, inner_shape=(2,)),
        tf.ragged.constant(tags, tf.int32, ragged_rank=1),
        tf.ragged.constant(confidences, tf.float32, ragged_rank=1),
        TAGS,
    )
    expected = [spans_by_hand(*row) for row in zip(words, tags, confidences, strict=True)]
    assert found["types"].shape == (len(words), max(map(len, expected)))
    for row, spans in enumerate(expected):
        for column, (kind, start, end, text, confidence) in enumerate(spans):
            assert found["types"][row, column].numpy().decode() == kind
            assert (found["starts"][row, column], found["ends"][row, column]) == (start, end)
            assert found["texts"][row, column].numpy().decode() == text
            assert float(found["confidences"][row, column]) == pytest.approx(confidence, rel=1e-5)
        assert set(found["types"][row, len(spans) :].numpy()) <= {b""}
        assert set(found["starts"][row, len(spans) :].numpy()) <= {-1}


def test_invalid_bytes_count_as_one_character_each():
    found = text_spans(
        tf.constant([b"\xff\xfe Ada"]),
        tf.ragged.constant([[[0, 2], [3, 6]]], tf.int32, ragged_rank=1, inner_shape=(2,)),
        tf.ragged.constant([[0, 3]], tf.int32),
        tf.ragged.constant([[1.0, 0.5]], tf.float32),
        TAGS,
    )
    assert found["texts"].numpy().tolist() == [[b"Ada"]] and found["confidences"].numpy().tolist() == [[0.5]]
