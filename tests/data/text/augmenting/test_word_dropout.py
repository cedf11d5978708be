"""Dropped words: how many, which, and that entities stay whole."""

from collections import Counter

from tests.data.text.augmenting.helpers import changed, numbered, within_bounds
from unitools.data import ColumnText, WordDropout, entity_spans


def test_words_are_replaced_at_the_rate_and_keep_their_labels(shared_data):
    reader = ColumnText(shared_data("wikigold") / "train.iob2.txt")
    words, labels = numbered(reader)
    new, tags = changed(WordDropout(0.15, replacement="#gap#"), words, labels)
    flat = [pair for rows in zip(words, new, strict=True) for pair in zip(*rows, strict=True)]
    assert tags == labels and {after for before, after in flat if before != after} == {"#gap#"}
    assert within_bounds(sum(before != after for before, after in flat), len(flat), 0.15)


def test_texts_lose_words_at_the_rate_in_their_order():
    words = [[str(place) for place in range(300)] for _ in range(50)]
    new, _ = changed(WordDropout(0.3, replacement=None), words)
    assert within_bounds(50 * 300 - sum(map(len, new)), 50 * 300, 0.3)
    assert all(row == sorted(row, key=int) and len(set(row)) == len(row) for row in new)


def test_one_word_always_stays():
    words = [[str(place) for place in range(size)] for size in (1, 2, 3, 4) * 100]
    new, _ = changed(WordDropout(1.0, replacement=None), words)
    assert all(len(row) == 1 and row[0] in old for row, old in zip(new, words, strict=True))
    stayed = Counter(row[0] for row in new[3::4])
    assert len(stayed) == 4 and max(stayed.values()) < 50  # 25 of each of four places are expected


def test_entities_lose_nothing_and_do_not_touch(shared_data):
    for scheme in ("iob2", "iob1", "bioes"):
        reader = ColumnText(shared_data("wikigold") / "dev.iob2.txt", to=scheme)
        words, labels = numbered(reader)
        new, tags = changed(WordDropout(0.7, replacement=None), words, labels)
        assert sum(map(len, new)) < 0.75 * sum(map(len, words))
        for row, numbers, (old, old_tags) in zip(new, tags, reader.sentences, strict=True):
            read = entity_spans([reader.id2tag[number] for number in numbers])
            expected = [(old[start:end], kind) for start, end, kind in entity_spans(old_tags)]
            assert [(tuple(row[start:end]), kind) for start, end, kind in read] == expected


def test_with_other_tags_any_word_goes():
    words, labels = [["a", "b", "c", "d"]] * 200, [[3, 1, 0, 2]] * 200
    new, tags = changed(WordDropout(0.5, replacement=None, outside=None), words, labels)
    assert {word for row in new for word in row} == set("abcd") and min(map(len, new)) == 1
    number = dict(zip("abcd", labels[0], strict=True))
    assert tags == [[number[word] for word in row] for row in new]
