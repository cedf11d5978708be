"""Vocabularies of words and characters against dictionaries."""

from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

import unitools as ut


def sentences(shared_data):
    text = (shared_data("wikigold") / "train.iob2.txt").read_text(encoding="utf-8")
    return [[line.split("\t")[0] for line in block.split("\n") if line] for block in text.strip().split("\n\n")]


def test_real_words_against_a_dictionary(shared_data):
    words = sentences(shared_data)
    vocabulary = ut.data.WordVocabulary.from_texts(words, min_count=2)
    counts = Counter(word for row in words for word in row)
    expected = sorted((word for word in counts if counts[word] > 1), key=lambda word: (-counts[word], word))
    assert vocabulary.vocabulary == tuple(expected)
    ids = {word: number for number, word in enumerate(expected, start=2)}
    found = vocabulary(tf.ragged.constant(words)).numpy()
    assert found.shape == (len(words), max(map(len, words)))
    for row, sentence in zip(found, words, strict=True):
        assert row.tolist() == [ids.get(word, 1) for word in sentence] + [0] * (found.shape[1] - len(sentence))


def test_real_characters_against_a_dictionary(shared_data):
    words = sentences(shared_data)[:100]
    characters = ut.data.CharacterVocabulary.from_texts(words, min_count=3, max_word_length=9)
    ids = {character: number for number, character in enumerate(characters.vocabulary, start=2)}
    found = characters(tf.ragged.constant(words)).numpy()
    for row, sentence in zip(found, words, strict=True):
        for place, word in enumerate(sentence):
            expected = [ids.get(character, 1) for character in word][:9]
            assert row[place].tolist() == expected + [0] * (9 - len(expected))
    long_words = sum(len(word) > 9 for sentence in words for word in sentence)
    assert int(characters.count_truncated(tf.ragged.constant(words))) == long_words


def test_capitals_are_counted_as_they_are_looked_up():
    vocabulary = ut.data.WordVocabulary.from_texts(["Über ÜBER über ΣΑΣ"], lowercase=True, split=True)
    assert vocabulary.vocabulary[0] == "über"
    assert vocabulary(["ÜBER Σας ΣΑΣ"]).numpy()[0, [0, 2]].tolist() == [2, 3]


@pytest.mark.parametrize("max_size", [1, 2, None])
def test_most_frequent_first(max_size):
    vocabulary = ut.data.WordVocabulary.from_counts({"b": 2, "a": 2, "c": 5, "": 9}, max_size=max_size)
    assert vocabulary.vocabulary == ("c", "a", "b")[:max_size]
    assert vocabulary.size == 2 + len(vocabulary.vocabulary)


@pytest.mark.parametrize("kind", ["WordVocabulary", "CharacterVocabulary"])
def test_files(tmp_path, kind):
    cls = getattr(ut.data, kind)
    option = {"lowercase": True} if kind == "WordVocabulary" else {"max_word_length": 7}
    made = cls(["é", " ", "\n"], **option)
    made.save(tmp_path / "vocabulary.json")
    read = cls.load(tmp_path / "vocabulary.json")
    keys = ("vocabulary", *option)
    assert [getattr(read, key) for key in keys] == [getattr(made, key) for key in keys]
    (tmp_path / "vocabulary.json").write_text('{"kind": "other"}')
    with pytest.raises(ValueError, match=f"must hold a {kind}"):
        cls.load(tmp_path / "vocabulary.json")
    (tmp_path / "vocabulary.json").write_text("{")
    with pytest.raises(ValueError, match="no JSON file"):
        cls.load(tmp_path / "vocabulary.json")


def test_special_looking_words_are_words():
    vocabulary = ut.data.WordVocabulary(["[UNK]", "<pad>"])
    np.testing.assert_array_equal(vocabulary([["[UNK]", "<pad>", "other", ""]]), [[2, 3, 1, 0]])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ut.data.WordVocabulary(["a", "a"]), "'a' stands in it twice"),
        (lambda: ut.data.WordVocabulary([]), "none of them empty"),
        (lambda: ut.data.WordVocabulary("word"), "a list of strings"),
        (lambda: ut.data.WordVocabulary.from_texts(["a b"], min_count=2), "`min_count`"),
        (lambda: ut.data.WordVocabulary(["a"])(["a"]), "split=True for texts"),
        (lambda: ut.data.CharacterVocabulary(["ab"]), "single characters"),
        (lambda: ut.data.CharacterVocabulary(["a"])(["a"]), "Split texts into words"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
