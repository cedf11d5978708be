"""Batches whose texts are changed anew each epoch: as without where nothing is drawn, resumable, shardable."""

import re

import numpy as np
import pytest
import tensorflow as tf

from unitools.data import (
    ColumnText,
    MentionReplacement,
    SynonymReplacement,
    TextTable,
    WordDropout,
    WordPieceTokenizer,
    WordSwap,
    WordVocabulary,
    entity_spans,
)

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@pytest.fixture(scope="module")
def reader(shared_data):
    return ColumnText(shared_data("wikigold") / "dev.iob2.txt")


@pytest.fixture(scope="module")
def table(shared_data):
    return TextTable(shared_data("banking77") / "test.csv", label="category").split(0.1, seed=0)[1]


def _pieces(words, **options):
    """Return a tokenizer that knows most words, and the letters of the others."""
    letters = sorted({letter for word in words for letter in word})
    known = [word for word in sorted(set(words))[::2] if len(word) > 1 and re.fullmatch(r"\w+", word)]
    vocabulary = dict.fromkeys([*SPECIAL, *known, *letters, *(f"##{letter}" for letter in letters)])
    return WordPieceTokenizer(list(vocabulary), **({"lowercase": False} | options))


def _words(reader):
    return [word for words, _ in reader.sentences for word in words]


def _ids(words):
    return words.with_values(tf.strings.to_hash_bucket_fast(words.values, 900) + 10)


def _letters(words):
    return words.with_values(tf.strings.unicode_decode(words.values, "UTF-8"))


def _arrays(batches):
    return [[leaf.numpy().tolist() for leaf in tf.nest.flatten(batch)] for batch in batches]


ENCODINGS = {
    "tokenizer": lambda reader: {"encode": _pieces(_words(reader), max_length=48), "max_length": 48},
    "ids": lambda reader: {"encode": _ids, "special_ids": {"start": 1, "end": 2, "pad": 9}, "max_length": 20},
    "pieces": lambda reader: {"encode": _letters, "special_ids": {"start": 1, "unknown": 3}},
    "vocabulary": lambda reader: {
        "encode": lambda words: tf.RaggedTensor.from_tensor(
            WordVocabulary(sorted(set(_words(reader))[::3]))(words), lengths=words.row_lengths()
        )
    },
}
MODES = [{}, {"shuffle": False}, {"batch_size": 2_000, "unit": "tokens"}]


@pytest.mark.parametrize("name", ["tokenizer", "ids", "pieces"])
@pytest.mark.parametrize("mode", MODES)
def test_rate_zero_gives_the_batches_without_augmentation(reader, name, mode):
    options = {"batch_size": 16, "seed": 3} | ENCODINGS[name](reader) | mode
    plain, changed = reader.batches(**options), reader.batches(augment=WordDropout(0.0), **options)
    assert plain.element_spec == changed.element_spec
    assert _arrays(plain) == _arrays(changed) and len(plain) == len(changed)
    assert plain.num_lost_words == changed.num_lost_words


@pytest.mark.parametrize("mode", MODES)
def test_texts_at_rate_zero(table, mode):
    words = [word for text in table.texts for word in text.split()]
    options = {"batch_size": 16, "seed": 3, "class_mode": "categorical", "encode": _pieces(words)} | mode
    plain, changed = table.batches(**options), table.batches(augment=WordSwap(0.0), **options)
    assert _arrays(plain) == _arrays(changed) and plain.element_spec == changed.element_spec


def _sentences(reader, batches, vocabulary):
    """Return the words and tags in batches of one id a word."""
    rows = []
    for inputs, labels in batches:
        for ids, mask, row in zip(*(inputs[key].numpy() for key in ("token_ids", "padding_mask")), labels, strict=True):
            words = [vocabulary[number] for number in ids[mask]]
            rows.append((words, [reader.id2tag[number] for number in row.numpy()[mask]]))
            assert (row.numpy()[~mask] == -1).all()
    return rows


def test_labels_go_with_changed_words(reader):
    """The sentences in the batches are those that the augmenter makes of the reader's with the seeds of the epoch."""
    known = sorted(set(_words(reader)))
    vocabulary = WordVocabulary(known)
    augment = MentionReplacement.from_reader(reader, rate=1.0)

    def encode(words):
        return tf.RaggedTensor.from_tensor(vocabulary(words), lengths=words.row_lengths())

    batches = reader.batches(16, encode=encode, shuffle=False, augment=augment, seed=5)
    names = ["", "?", *known]
    first, second = (_sentences(reader, batches, names) for _ in range(2))
    assert first != second
    mentions = {(tuple(words), kind) for kind, found in augment.mentions.items() for words in found}
    for rows in (first, second):
        for (words, tags), (_, before) in zip(rows, reader.sentences, strict=True):
            spans = entity_spans(tags)
            assert [kind for _, _, kind in spans] == [kind for _, _, kind in entity_spans(before)]
            assert {(tuple(words[start:end]), kind) for start, end, kind in spans} <= mentions


def test_pieces_of_changed_words_are_labelled_at_the_first(reader):
    """Each word that is left has its label at its first letter, whatever the dropout took."""
    augment = WordDropout(0.5, replacement=None)
    batches = reader.batches(16, encode=_letters, shuffle=False, augment=augment, seed=5)
    position = 0
    for inputs, labels in batches:
        for ids, row in zip(inputs["token_ids"].numpy(), labels.numpy(), strict=True):
            starts = np.flatnonzero(row != -1)
            ends = [*starts[1:], np.count_nonzero(ids)]
            words = ["".join(map(chr, ids[start:end])) for start, end in zip(starts, ends, strict=True)]
            rest = iter(zip(*reader.sentences[position], strict=True))
            pairs = [(word, reader.id2tag[tag]) for word, tag in zip(words, row[starts], strict=True)]
            assert all(pair in rest for pair in pairs)  # in the order of the sentence
            position += 1
    assert position == len(reader)


@pytest.mark.parametrize("step", [0, 5])
def test_resumes_with_the_very_batches(reader, step):
    options = {"encode": _ids, "seed": 3, "augment": MentionReplacement.from_reader(reader, rate=0.5)}
    whole, resumed = reader.batches(16, **options), reader.batches(16, **options)
    epochs = [_arrays(whole) for _ in range(3)]
    assert epochs[0] != epochs[1] and whole.state_dict() == {"epoch": 3, "step": 0}
    resumed.load_state_dict({"epoch": 1, "step": step})
    assert _arrays(resumed) == epochs[1][step:] and _arrays(resumed) == epochs[2]


def test_shards_hold_the_batches_of_the_whole(reader):
    """An example is changed alike in every shard and batch size: its seeds are those of the epoch and its own."""
    options = {"encode": _ids, "shuffle": False, "seed": 3, "augment": WordSwap(0.7)}
    whole = reader.batches(8, **options)

    def rows(batches):
        pairs = [zip(inputs["token_ids"].numpy(), inputs["padding_mask"].numpy(), strict=True) for inputs, _ in batches]
        return [ids[mask].tolist() for pair in pairs for ids, mask in pair]

    expected = rows(whole)
    parts = [rows(reader.batches(4, **options).shard(index, 2)) for index in range(2)]
    assert parts[0] == expected[::2] and parts[1] == expected[1::2]
    shuffled = rows(reader.batches(8, **(options | {"shuffle": True})))
    assert sorted(shuffled) == sorted(expected) != sorted(rows(whole))  # `whole` is in its second epoch


def test_batches_grow_to_the_next_length(write):
    path = write("".join(f"x O\ny{number} B-LOC\n\n" for number in range(20)))
    reader = ColumnText(path)
    augment = MentionReplacement({"LOC": [["a"] * 30]}, tags=reader.tags, rate=1.0)
    shapes = lambda **options: {  # noqa: E731
        tuple(labels.shape) for _, labels in reader.batches(10, encode=_ids, augment=augment, **options)
    }
    assert shapes() == {(10, 32)} and shapes(boundaries=[4, 12]) == {(10, 48)} and shapes(boundaries=[2]) == {(10, 32)}
    assert shapes(max_length=20) == {(10, 20)} and shapes(max_length=20, special_ids={"end": 2}) == {(10, 20)}
    ((inputs, labels), _) = reader.batches(10, encode=_ids, augment=augment, max_length=5, special_ids={"end": 2})
    assert (inputs["token_ids"].numpy()[:, 4] == 2).all() and (labels.numpy()[:, 4:] == -1).all()


def test_texts_are_joined_with_one_blank(write):
    table = TextTable(write("text,label\nmy  card,x\nthe card here,y\n", "t.csv"))
    augment = SynonymReplacement({"card": ["bank card"]}, rate=1.0)
    ((texts, labels),) = table.batches(2, augment=augment, shuffle=False)
    assert texts.numpy().tolist() == [b"my bank card", b"the bank card here"] and labels.numpy().tolist() == [0, 1]
    tokenizer = WordPieceTokenizer([*SPECIAL, "my", "the", "bank", "card", "here"])
    ((inputs, _),) = table.batches(2, augment=augment, shuffle=False, encode=tokenizer)
    assert inputs["token_ids"].numpy().tolist() == [[2, 5, 7, 8, 3, 0, 0, 0], [2, 6, 7, 8, 9, 3, 0, 0]]
    assert next(iter(table.batches(2, augment=augment, shuffle=False, class_mode=None))).shape == (2,)


def test_pairs_are_changed_apart(write):
    rows = "".join(f"a b c d e f g h,a b c d e f g h,{number % 2}\n" for number in range(20))
    table = TextTable(write("one,two,label\n" + rows, "t.csv"), text=("one", "two"))
    tokenizer = WordPieceTokenizer([*SPECIAL, *"abcdefgh"])
    ((first, second), _) = next(iter(table.batches(20, augment=WordSwap(0.8), seed=1)))
    assert first.numpy().tolist() != second.numpy().tolist()
    assert all(sorted(text.split()) == [b"%c" % code for code in b"abcdefgh"] for text in first.numpy())
    options = {"encode": tokenizer, "shuffle": False, "seed": 1}
    for inputs, _ in table.batches(4, augment=WordSwap(0.8), **options):
        ids, segments = inputs["token_ids"].numpy(), inputs["segment_ids"].numpy()
        assert (np.sort(ids[:, 1:9]) == np.arange(5, 13)).all() and (np.sort(ids[:, 10:18]) == np.arange(5, 13)).all()
        assert segments[:, 10:19].all() and not segments[:, :10].any()
    assert _arrays(table.batches(4, **options)) == _arrays(table.batches(4, augment=WordSwap(0.0), **options))


def test_what_is_refused(reader, table):
    def eager(words):
        return tf.ragged.constant([[len(word) for word in row] for row in words.to_list()], tf.int32)

    with pytest.raises(ValueError, match="`encode` must be TensorFlow graph code where `augment` is given"):
        reader.batches(8, encode=eager, augment=WordDropout(0.1))
    assert len(reader.batches(8, encode=eager)) > 1
    for broken in (lambda words: words.upper(), "drop"):
        with pytest.raises(ValueError, match="`augment` must be a text augmenter"):
            reader.batches(8, encode=_ids, augment=broken)
        with pytest.raises(ValueError, match="`augment` must be a text augmenter"):
            table.batches(8, augment=broken)
    with pytest.raises(ValueError, match="`labels` must be the labels of the words"):
        table.batches(8, augment=MentionReplacement.from_reader(reader, rate=0.5))
