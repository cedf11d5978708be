"""Splits of column files, by sentence and by document."""

import numpy as np
import pytest
import tensorflow as tf

from unitools.data import ColumnText, entity_spans


def _joined(first, second):
    return sorted([*zip(first.lines, first.sentences, strict=True), *zip(second.lines, second.sentences, strict=True)])


@pytest.mark.parametrize(("name", "by"), [("eng.testa", "auto"), ("eng.testa", "sentence"), ("test.iob2.txt", "auto")])
def test_real_files_are_parted(shared_data, name, by):
    reader = ColumnText(shared_data("conll2003-en") / name, on_error="repair")
    first, second = reader.split(0.2, seed=3, by=by)
    assert _joined(first, second) == [*zip(reader.lines, reader.sentences, strict=True)]
    by_document = by == "auto" and reader.num_documents > 1
    size, share = (reader.num_documents, second.num_documents) if by_document else (len(reader), len(second))
    assert share == round(0.2 * size)
    numbers = {int(line): int(number) for line, number in zip(reader.lines, reader.documents, strict=True)}
    homes = [{numbers[int(line)] for line in part.lines} for part in (first, second)]
    assert bool(homes[0] & homes[1]) != by_document
    for part in (first, second):
        assert (part.tags, part.scheme, part.to, part.tag2id) == (reader.tags, reader.scheme, reader.to, reader.tag2id)
        assert (np.diff(part.lines) > 0).all() and sum(part.tag_counts.values()) == part.num_words
        assert part.num_documents == len(set(part.documents.tolist())) == part.documents.max() + 1
        assert sum(part.entity_counts.values()) == sum(len(entity_spans(tags)) for _, tags in part.sentences)
        assert part[0]["labels"].tolist() == [part.tag2id[tag] for tag in part[0]["tags"]]
    counts = [first.tag_counts, second.tag_counts]
    assert {tag: sum(count[tag] for count in counts) for tag in reader.tags} == reader.tag_counts


def test_seeds_repeat_and_differ(shared_data):
    reader = ColumnText(shared_data("wikigold") / "dev.iob2.txt")
    lines = [reader.split(0.3, seed=seed)[1].lines.tolist() for seed in (1, 1, 2)]
    assert lines[0] == lines[1] != lines[2]
    first, second = reader.split(0.3, seed=1)
    first.skipped.append((0, "noted"))
    assert reader.skipped == second.skipped == []
    ids = second.batches(4, encode=lambda words: words.with_values(tf.strings.length(words.values)), shuffle=False)
    assert sum(int((labels != -1).numpy().sum()) for _, labels in ids) == second.num_words


def test_what_is_refused(write):
    reader = ColumnText(write("a O\n\nb O\n"))
    assert [len(part) for part in reader.split(0.1, seed=0)] == [1, 1]
    with pytest.raises(ValueError, match=r"`by` must be such that there are two .* one document only"):
        reader.split(0.5, seed=0, by="document")
    with pytest.raises(ValueError, match="by='word'"):
        reader.split(0.5, seed=0, by="word")
    with pytest.raises(ValueError, match="fraction=1"):
        reader.split(1, seed=0)
    with pytest.raises(ValueError, match="seed=-1"):
        reader.split(0.5, seed=-1)
    with pytest.raises(ValueError, match="one sentence only"):
        ColumnText(write("a O\n")).split(0.5, seed=0)
