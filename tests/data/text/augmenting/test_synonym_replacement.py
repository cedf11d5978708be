"""Synonyms: from the table, at the rate, several words too; tags kept."""

import csv

import numpy as np
import pytest
import tensorflow as tf

from tests.data.text.augmenting.helpers import changed, numbered, seeds_of, within_bounds
from unitools.data import ColumnText, SynonymReplacement
from unitools.data.text.augmenting.word_draws import word_draws

TABLE = {"card": ("bank card", "plastic"), "my": ("our",), "Zürich": ("the city",), "the": ("that", "this very", "a")}


def _replaced(words, draws, rate, lowercase):
    """Return the words after replacement, and the place that each comes from."""
    table = {key.lower(): texts for key, texts in TABLE.items()} if lowercase else TABLE
    result = []
    for place, (word, (first, second)) in enumerate(zip(words, draws, strict=True)):
        texts = table.get(word.lower() if lowercase else word)
        new = texts[int(second * len(texts))].split() if texts and first < rate else [word]
        result += [(item, place) for item in new]
    return [word for word, _ in result], [place for _, place in result]


@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("rate", [0.4, 1.0])
def test_real_texts_against_plain_python(shared_data, lowercase, rate):
    with open(shared_data("banking77") / "test.csv", encoding="utf-8") as file:
        words = [row["text"].split() for row in csv.DictReader(file)][:600] + [["in", "Zürich", "ZÜRICH"]]
    new, _ = changed(SynonymReplacement(TABLE, rate=rate, lowercase=lowercase), words)
    draws = word_draws(tf.ragged.constant(words), seeds_of(len(words)), 2).numpy().astype(float)
    ends = np.cumsum([len(row) for row in words])
    for row, end, result in zip(words, ends, new, strict=True):
        assert result == _replaced(row, draws[end - len(row) : end], rate, lowercase)[0]
    assert sum(map(len, new)) > ends[-1]


def test_replaced_at_the_rate_and_evenly():
    new, _ = changed(SynonymReplacement({"a": ("b", "c")}, rate=0.3), [["a"] * 400] * 25)
    flat = [word for row in new for word in row]
    assert within_bounds(flat.count("b"), 10_000, 0.15) and within_bounds(flat.count("c"), 10_000, 0.15)


def test_only_words_outside_of_entities_are_replaced(shared_data):
    reader = ColumnText(shared_data("wikigold") / "train.iob2.txt")
    words, labels = numbered(reader)
    new, tags = changed(SynonymReplacement(TABLE, rate=1.0), words, labels)
    for old, numbers, row, result in zip(words, labels, new, tags, strict=True):
        pairs = [
            (item, number)
            for word, number in zip(old, numbers, strict=True)
            for item in ([None] * 9 if word in TABLE and number == 0 else [word])[: 9 if number == 0 else 1]
        ]
        kept = [pair for pair in pairs if pair[0] is not None and pair[1] != 0]
        assert [pair for pair in zip(row, result, strict=True) if pair[1] != 0] == kept
        assert all(tag for word, tag in zip(row, result, strict=True) if word == "the")
    assert any(word == "the" for row in new for word in row)  # inside of names it stays


def test_other_tags_are_repeated():
    replace = SynonymReplacement({"a": ("x y",)}, rate=1.0, outside=None)
    assert changed(replace, [["b", "a", "c"]], [[4, 7, 2]]) == ([["b", "x", "y", "c"]], [[4, 7, 7, 2]])


def test_bad_tables_are_named():
    for table in ({}, {"a": "b"}, {"a": [" "]}, {"": ["b"]}, ["a"]):
        with pytest.raises(ValueError, match="`table` must be"):
            SynonymReplacement(table, rate=0.5)
    with pytest.raises(ValueError, match="differ in lower case"):
        SynonymReplacement({"A": ["b"], "a": ["c"]}, rate=0.5, lowercase=True)
