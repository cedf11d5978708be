"""What holds for every text augmenter: off, alone as in a batch, in graphs, padded as ragged."""

import numpy as np
import pytest
import tensorflow as tf

from tests.data.text.augmenting.helpers import changed, seeds_of
from unitools.data import ComposeText, MentionReplacement, SynonymReplacement, TextAugmenter, WordDropout, WordSwap

TAGS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
MENTIONS = {"LOC": (("Rome",), ("New", "York", "City")), "PER": (("Alan", "Turing"),)}
SYNONYMS = {"w1": ("one", "the first one"), "w2": ("two",)}
MAKERS = {
    "dropout": lambda rate: WordDropout(rate),
    "deletion": lambda rate: WordDropout(rate, replacement=None),
    "swap": lambda rate: WordSwap(rate, distance=3),
    "mentions": lambda rate: MentionReplacement(MENTIONS, tags=TAGS, rate=rate),
    "synonyms": lambda rate: SynonymReplacement(SYNONYMS, rate=rate),
    "both": lambda rate: ComposeText([WordSwap(rate), SynonymReplacement(SYNONYMS, rate=rate)]),
}


def _tagged(count, seed=0):
    """Return random sentences, some empty, with tags in the iob2 scheme."""
    random = np.random.default_rng(seed)
    words, labels = [], []
    for _ in range(count):
        row = []
        while len(row) < random.integers(0, 25):
            kind, size = random.integers(0, 3), random.integers(1, 4)
            row += [2 * kind - 1, *[2 * kind] * (size - 1)] if kind else [0] * size
        labels.append([int(label) for label in row])
        words.append([f"w{random.integers(0, 9)}" for _ in row])
    return words, labels


@pytest.mark.parametrize("name", MAKERS)
def test_rate_zero_changes_nothing(name):
    words, labels = _tagged(40)
    assert changed(MAKERS[name](0.0), words, labels) == (words, labels)
    assert changed(MAKERS[name](0.6), words, labels) != (words, labels)


@pytest.mark.parametrize("name", MAKERS)
def test_an_example_alone_is_changed_as_in_a_batch(name):
    augmenter, (words, labels) = MAKERS[name](0.5), _tagged(12)
    together = changed(augmenter, words, labels)
    seeds = seeds_of(12)
    for row in range(12):
        alone = changed(augmenter, words[row : row + 1], labels[row : row + 1], seeds[row : row + 1])
        assert alone == ([together[0][row]], [together[1][row]])
    backwards = changed(augmenter, words[::-1], labels[::-1], seeds[::-1])
    assert backwards == (together[0][::-1], together[1][::-1])


@pytest.mark.parametrize("name", MAKERS)
def test_labels_fit_words_in_a_graph_as_without(name):
    augmenter, (words, labels) = MAKERS[name](0.5), _tagged(12)
    ragged = tf.RaggedTensorSpec([None, None], tf.string), tf.RaggedTensorSpec([None, None], tf.int32)
    graph = tf.function(augmenter.augment_words, input_signature=[*ragged, tf.TensorSpec([None, 2], tf.int32)])
    new, tags = graph(tf.ragged.constant(words), tf.ragged.constant(labels, tf.int32), seeds_of(12))
    eager = changed(augmenter, words, labels)
    assert [[word.decode() for word in row] for row in new.to_list()] == eager[0] and tags.to_list() == eager[1]
    assert new.row_lengths().numpy().tolist() == tags.row_lengths().numpy().tolist() and tags.dtype == tf.int32


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("rows", [[], [[]], [[], [], []]])
def test_nothing_stays_nothing(name, rows):
    words = tf.ragged.constant(rows, tf.string, ragged_rank=1)
    labels = tf.ragged.constant(rows, tf.int32, ragged_rank=1)
    new, tags = MAKERS[name](1.0).augment_words(words, labels, seeds_of(len(rows)))
    assert new.to_list() == rows and tags.to_list() == rows


def test_seeds_differ_by_epoch():
    words, labels = _tagged(40)
    for name, make in MAKERS.items():
        first, second = (changed(make(0.5), words, labels, seeds_of(40, epoch)) for epoch in (1, 2))
        assert first != second, name


def test_padded_words_are_changed_as_ragged_ones():
    words, labels = _tagged(12)
    ragged = {"words": tf.ragged.constant(words), "labels": tf.ragged.constant(labels, tf.int32)}
    padded = {"words": ragged["words"].to_tensor(""), "labels": ragged["labels"].to_tensor(-1)}
    make = lambda: MentionReplacement(MENTIONS, tags=TAGS, rate=0.5, seed=4)  # noqa: E731
    left, right = make()(ragged, training=True), make()(padded, training=True)
    assert left["words"].to_tensor("").numpy().tolist() == right["words"].numpy().tolist()
    assert left["labels"].to_tensor(-1).numpy().tolist() == right["labels"].numpy().tolist()
    assert WordSwap(1.0)(ragged["words"]) is ragged["words"]


def test_members_draw_apart():
    """Two dropouts in a row drop what either would, each from its own numbers."""
    words = [[f"w{place}" for place in range(2_000)]]
    once, _ = changed(WordDropout(0.5), words)
    twice, _ = changed(ComposeText([WordDropout(0.5), WordDropout(0.5)]), words)
    assert 900 < once[0].count("[UNK]") < 1_100 and 1_400 < twice[0].count("[UNK]") < 1_600


def test_what_is_refused():
    with pytest.raises(TypeError, match="augmenters"):
        ComposeText([lambda words: words])
    with pytest.raises(ValueError, match=r"`inputs` must be of shape \(batch, words\)"):
        WordSwap(0.5)(tf.constant(["a text"]), training=True)
    with pytest.raises(ValueError, match=r"`inputs` must be words, or a dictionary"):
        WordSwap(0.5)({"words": tf.constant([["a"]]), "tags": tf.constant([[0]])}, training=True)
    with pytest.raises(ValueError, match="`labels` must be the labels of the words"):
        MentionReplacement(MENTIONS, tags=TAGS, rate=0.5)(tf.constant([["a"]]), training=True)
    with pytest.raises(NotImplementedError, match="augment_words"):
        TextAugmenter()(tf.constant([["a"]]), training=True)
