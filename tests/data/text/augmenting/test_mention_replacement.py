"""Replaced entities, read again by entity_spans and by seqeval."""

from collections import Counter

import pytest
from seqeval.metrics.sequence_labeling import get_entities

from tests.data.text.augmenting.helpers import changed, numbered, within_bounds
from unitools.data import ColumnText, MentionReplacement, entity_spans
from unitools.data.text.tag_scheme import offences


def _read(reader, words, labels):
    """Return the entities of sentences as (words, type), and their tags."""
    tags = [[reader.id2tag[number] for number in row] for row in labels]
    return [
        [(tuple(row[start:end]), kind) for start, end, kind in entity_spans(each)]
        for row, each in zip(words, tags, strict=True)
    ], tags


@pytest.mark.parametrize("scheme", ["iob2", "iob1", "bioes"])
@pytest.mark.parametrize("rate", [0.35, 1.0])
def test_conll2003(shared_data, scheme, rate):
    reader = ColumnText(shared_data("conll2003-en") / "train.iob2.txt", to=scheme)
    words, labels = numbered(reader, 4_000)
    new, tags = changed(MentionReplacement.from_reader(reader, rate=rate), words, labels)
    known = {entity for row in _read(reader, *numbered(reader))[0] for entity in row}
    before, (after, names) = _read(reader, words, labels)[0], _read(reader, new, tags)
    assert [[kind for _, kind in row] for row in after] == [[kind for _, kind in row] for row in before]
    assert {entity for row in after for entity in row} <= known
    assert sum(len(get_entities(row)) for row in names) == sum(len(row) for row in before)
    assert all(not offences(row, scheme) for row in names)
    pairs = [pair for left, right in zip(before, after, strict=True) for pair in zip(left, right, strict=True)]
    sizes = Counter(kind for _, kind in known)
    expected = sum(rate * (1 - 1 / sizes[kind]) for (_, kind), _ in pairs) / len(pairs)
    assert within_bounds(sum(left != right for left, right in pairs), len(pairs), expected)
    for old, old_tags, row, row_tags in zip(words, labels, new, tags, strict=True):
        assert [word for word, tag in zip(old, old_tags, strict=True) if tag == 0] == [
            word for word, tag in zip(row, row_tags, strict=True) if tag == 0
        ]


def test_iob1_neighbours_stay_apart():
    tags = ("O", "I-LOC", "B-LOC")
    replace = MentionReplacement({"LOC": [["A", "B"]]}, tags=tags, rate=1.0, scheme="iob1")
    assert changed(replace, [["x", "y", "z"]], [[1, 2, 0]]) == ([["A", "B", "A", "B", "z"]], [[1, 1, 2, 1, 0]])


def test_bioes_gets_single_and_end():
    tags = ("O", "B-LOC", "I-LOC", "E-LOC", "S-LOC")
    for mention, labels in ((["A"], [4]), (["A", "B"], [1, 3]), (["A", "B", "C"], [1, 2, 3])):
        replace = MentionReplacement({"LOC": [mention]}, tags=tags, rate=1.0, scheme="bioes")
        assert changed(replace, [["x", "y", "z"]], [[1, 3, 0]]) == ([[*mention, "z"]], [[*labels, 0]])


def test_every_mention_is_drawn_evenly():
    mentions = [[letter] for letter in "abcdefgh"]
    replace = MentionReplacement({"LOC": mentions}, tags=("O", "B-LOC", "I-LOC"), rate=1.0)
    new, _ = changed(replace, [["x"] * 200] * 40, [[1] * 200] * 40)
    counts = Counter(word for row in new for word in row)
    assert set(counts) == set("abcdefgh") and sum((count - 1_000) ** 2 / 1_000 for count in counts.values()) < 24.3


def test_what_may_be_incomplete_stays():
    """Beside a word that does not count, an entity may go on; a type without mentions has none to take."""
    tags = ("O", "B-LOC", "I-LOC", "B-ORG", "I-ORG")
    replace = MentionReplacement({"LOC": [["A", "B"]]}, tags=tags, rate=1.0)
    words, labels = [["a", "b", "c", "d"], ["a", "b", "c", "d"]], [[-1, 1, 0, 1], [1, -1, 3, 1]]
    assert changed(replace, words, labels) == (
        [["a", "b", "c", "A", "B"], ["a", "b", "c", "A", "B"]],
        [[-1, 1, 0, 1, 2], [1, -1, 3, 1, 2]],
    )


def test_what_is_refused(shared_data, write):
    tags = ("O", "B-LOC", "I-LOC")
    for mentions in ({}, {"LOC": []}, {"LOC": ["New York"]}, {"LOC": [[]]}, [["Rome"]]):
        with pytest.raises(ValueError, match="`mentions` must be"):
            MentionReplacement(mentions, tags=tags, rate=0.5)
    with pytest.raises(ValueError, match="'B-PER', 'I-PER'"):
        MentionReplacement({"PER": [["Ada"]]}, tags=tags, rate=0.5)
    with pytest.raises(ValueError, match="It has no 'E-LOC'"):
        MentionReplacement({"LOC": [["Rome"]]}, tags=(*tags, "E-LOC", "S-LOC"), rate=0.5)
    with pytest.raises(ValueError, match="`reader` must be a reader of entity tags"):
        MentionReplacement.from_reader(ColumnText(write("a X\nb Y\n"), scheme=None), rate=0.5)
    with pytest.raises(ValueError, match="sentences with entities"):
        MentionReplacement.from_reader(ColumnText(write("a O\nb O\n")), rate=0.5)
