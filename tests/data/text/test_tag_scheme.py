"""Reading, checking, detecting and converting tags, against seqeval and tables written by hand."""

import numpy as np
import pytest
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2, IOBES, Entities

from unitools.data import convert_tags, entity_spans
from unitools.data.text.tag_scheme import SCHEMES, detect_scheme, offences, span_tags

KINDS = ("LOC", "PER", "made-up")


def _random_spans(random, length):
    """Return entities that do not overlap, many of them touching."""
    spans, start = [], 0
    while start < length:
        start += int(random.integers(0, 2))
        end = min(start + int(random.integers(1, 4)), length)
        if start < end:
            spans.append((start, end, str(random.choice(KINDS))))
        start = end
    return spans


def _random_tags(random, prefixes, length):
    kinds = random.choice(["LOC", "PER"], length)
    return ["O" if prefix == "O" else f"{prefix}-{kind}" for prefix, kind in zip(prefixes, kinds, strict=True)]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_spans_survive_every_way_there_and_back(scheme):
    random = np.random.default_rng(0)
    for _ in range(500):
        length = int(random.integers(0, 12))
        spans = _random_spans(random, length)
        tags = span_tags(spans, length, scheme)
        assert entity_spans(tags) == spans and offences(tags, scheme) == []
        for other in SCHEMES:
            there = convert_tags(tags, other)
            assert entity_spans(there) == spans and convert_tags(there, scheme) == tags


@pytest.mark.parametrize(("scheme", "theirs"), [("iob2", IOB2), ("bioes", IOBES)])
def test_tags_mean_to_seqeval_what_they_mean_here(scheme, theirs):
    random = np.random.default_rng(1)
    for _ in range(300):
        spans = _random_spans(random, 12)
        (entities,) = Entities([span_tags(spans, 12, scheme)], scheme=theirs).entities
        assert [(entity.start, entity.end, entity.tag) for entity in entities] == spans


def test_broken_sequences_are_read_as_conlleval_does():
    random = np.random.default_rng(2)
    for _ in range(3000):
        tags = _random_tags(random, random.choice(list("OBIES"), 9), 9)
        expected = [(start, end + 1, kind) for kind, start, end in get_entities(tags)]
        assert entity_spans(tags) == expected


def test_offences_are_where_seqeval_would_lose_an_entity():
    """Tags without offence are those of which seqeval's strict and lenient readings agree."""
    random = np.random.default_rng(3)
    for scheme, theirs, prefixes in (("iob2", IOB2, "OBI"), ("bioes", IOBES, "OBIES")):
        for _ in range(1000):
            tags = _random_tags(random, random.choice(list(prefixes), 4), 4)
            (entities,) = Entities([tags], scheme=theirs).entities
            strict = [(entity.start, entity.end, entity.tag) for entity in entities]
            covered = sum(end - start for start, end, _ in strict) == sum(tag != "O" for tag in tags)
            assert (offences(tags, scheme) == []) == covered


@pytest.mark.parametrize(
    ("iob1", "iob2", "bioes"),
    [
        ("O O", "O O", "O O"),
        ("I-A I-A O", "B-A I-A O", "B-A E-A O"),
        ("I-A B-A I-A B-A", "B-A B-A I-A B-A", "S-A B-A E-A S-A"),
        ("I-A I-B B-B I-A", "B-A B-B B-B B-A", "S-A S-B S-B S-A"),
        ("O I-A I-A I-A O I-A", "O B-A I-A I-A O B-A", "O B-A I-A E-A O S-A"),
    ],
)
def test_table_of_conversions(iob1, iob2, bioes):
    written = {"iob1": iob1.split(), "iob2": iob2.split(), "bioes": bioes.split()}
    for tags in written.values():
        for scheme, expected in written.items():
            assert convert_tags(tags, scheme) == expected


@pytest.mark.parametrize(
    ("scheme", "tags", "positions"),
    [
        ("iob2", "I-A O I-A B-A I-B I-B", [0, 2, 4]),
        ("iob2", "B-A E-A S-A", [1, 2]),
        ("iob1", "B-A O I-A B-A I-B B-A", [0, 5]),
        ("bioes", "B-A O I-A E-A S-A E-A", [0, 2, 5]),
        ("bioes", "B-A B-A E-A", [0]),
        ("bioes", "I-A", [0]),
        ("bioes", "B-A", [0]),
    ],
)
def test_table_of_offences(scheme, tags, positions):
    assert [position for position, _ in offences(tags.split(), scheme)] == positions


@pytest.mark.parametrize(
    ("sentences", "scheme"),
    [
        (["I-A I-A O", "O I-B B-B"], "iob1"),
        (["B-A I-A O", "O B-B B-B"], "iob2"),
        (["B-A E-A O", "S-B S-B"], "bioes"),
        (["O O", "O"], "iob2"),
        (["B-A I-A", "B-A", "I-A", "B-A I-A"], "iob2"),
    ],
)
def test_scheme_is_detected(sentences, scheme):
    assert detect_scheme(sentence.split() for sentence in sentences) == scheme


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="position 1"):
        entity_spans(["O", "person"])
    for tag in ("B-", "-PER", "L-PER", "b-PER", "BPER", "", "o"):
        with pytest.raises(ValueError, match="must be O, or B-"):
            entity_spans([tag])
    with pytest.raises(ValueError, match="to='bilou'"):
        convert_tags(["O"], "bilou")
