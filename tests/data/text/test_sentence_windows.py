"""Sentences longer than a model, as windows: no word lost, none labelled twice."""

import numpy as np
import pytest
import tensorflow as tf

from unitools.data import ColumnText, MentionReplacement, WordPieceTokenizer
from unitools.data.text.sentence_windows import count_pieces

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefgh", *(f"##{letter}" for letter in "abcdefgh")]


def _write(write, sizes, seed=0):
    """Return a reader of random words, of up to six letters, and tags that are all different in a row of 50."""
    random = np.random.default_rng(seed)
    rows = [
        [
            ("".join(random.choice(list("abcdefgh"), random.integers(1, 7))), f"T{place % 50:02}")
            for place in range(size)
        ]
        for size in sizes
    ]
    return ColumnText(write("\n".join("".join(f"{word} {tag}\n" for word, tag in row) for row in rows)), scheme=None)


def _letters(words):
    return words.with_values(tf.strings.unicode_decode(words.values, "UTF-8"))


def _labelled(batches):
    """Return the labels of all batches in order, without those that are ignored."""
    return np.concatenate([row[row != -1] for _, labels in batches for row in labels.numpy()])


ENCODERS = {
    "tokenizer": {"encode": WordPieceTokenizer(VOCABULARY, lowercase=False, max_length=32)},
    "less than the tokenizer": {"encode": WordPieceTokenizer(VOCABULARY, lowercase=False), "max_length": 20},
    "letters": {"encode": _letters, "max_length": 24, "special_ids": {"start": 1, "end": 2}},
    "a dictionary": {
        "encode": lambda words: {"token_ids": _letters(words).merge_dims(1, 2), "word_ids": _owners(words)}
    },
}


def _owners(words):
    """Return the number of the word of each letter."""
    letters = _letters(words)
    places = tf.ragged.range(words.row_lengths())
    return letters.with_values(
        letters.values.with_values(tf.gather(places.values, letters.values.value_rowids()))
    ).merge_dims(1, 2)


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("overlap", [0, 3, 1_000])
def test_every_word_is_labelled_once(write, name, overlap):
    sizes = [10_000, *np.random.default_rng(2).integers(1, 60, 30)]
    reader = _write(write, sizes)
    options = {"max_length": 30} | ENCODERS[name]
    batches = reader.batches(8, shuffle=False, overlap=overlap, **options)
    assert batches.num_lost_words == batches.num_truncated == 0
    expected = [reader.tag2id[tag] for _, tags in reader.sentences for tag in tags]
    assert _labelled(batches).tolist() == expected
    limit = min(options["max_length"], getattr(options["encode"], "max_length", 10**6))
    assert max(inputs["padding_mask"].numpy().sum(1).max() for inputs, _ in batches) <= limit


def test_shuffled_windows_hold_every_word(write):
    reader = _write(write, [300, 5, 40])
    batches = reader.batches(8, seed=1, overlap=5, **ENCODERS["letters"])
    expected = [reader.tag2id[tag] for _, tags in reader.sentences for tag in tags]
    assert sorted(_labelled(batches).tolist()) == sorted(expected)


def test_windows_share_words(write):
    reader = _write(write, [200])
    ids = lambda words: words.with_values(tf.strings.to_hash_bucket_fast(words.values, 10**6) + 1)  # noqa: E731
    batches = reader.batches(1, encode=ids, shuffle=False, max_length=10, overlap=4)
    hashes = (tf.strings.to_hash_bucket_fast(list(reader.sentences[0][0]), 10**6) + 1).numpy().tolist()
    windows = [inputs["token_ids"].numpy()[0][inputs["padding_mask"].numpy()[0]].tolist() for inputs, _ in batches]
    assert windows == [hashes[first : first + 10] for first in range(0, 195, 6)]


def test_short_sentences_stay_as_they_are(shared_data):
    reader = ColumnText(shared_data("wikigold") / "dev.iob2.txt")
    words = sorted({letter for words, _ in reader.sentences for word in words for letter in word})
    tokenizer = WordPieceTokenizer(
        [*VOCABULARY[:5], *words, *(f"##{word}" for word in words)], lowercase=False, max_length=4096
    )
    plain, windows = (reader.batches(4, encode=tokenizer, seed=1, overlap=overlap) for overlap in (None, 4))
    assert plain.num_truncated == windows.num_truncated == windows.num_lost_words == 0
    for (left, before), (right, after) in zip(plain, windows, strict=True):
        assert np.array_equal(left["token_ids"], right["token_ids"]) and np.array_equal(before, after)


def test_without_windows_words_are_lost(write):
    reader = _write(write, [10_000, 3])
    assert reader.batches(2, **ENCODERS["tokenizer"]).num_lost_words > 9_900


def test_a_word_too_long_is_cut_and_keeps_its_label(write):
    reader = ColumnText(write("a X\nbbbbbbbbbbbb Y\nc X\n"), scheme=None)
    batches = reader.batches(1, encode=_letters, shuffle=False, max_length=4, overlap=1)
    assert batches.num_truncated == 1 and batches.num_lost_words == 0
    assert _labelled(batches).tolist() == [reader.tag2id[tag] for tag in "XYX"]


def test_windows_are_augmented(write):
    reader = ColumnText(write("".join("a O\nb B-LOC\nc I-LOC\nd O\n" for _ in range(30))))
    augment = MentionReplacement({"LOC": [["e"]]}, tags=reader.tags, rate=1.0)
    tokenizer = WordPieceTokenizer(VOCABULARY, lowercase=False, max_length=13)
    options = {"encode": tokenizer, "shuffle": False, "overlap": 4}
    plain, changed = reader.batches(4, **options), reader.batches(4, augment=augment, **options)
    outside = reader.tag2id["O"]
    assert (_labelled(plain) == outside).sum() == (_labelled(changed) == outside).sum() == 60
    assert 0 < (_labelled(changed) == reader.tag2id["I-LOC"]).sum() < 30  # those cut by an edge stay


def test_pieces_are_counted():
    counts, special = count_pieces(ENCODERS["tokenizer"]["encode"], ["a", "abc", "\x07"], None)
    assert (counts, special) == ({"a": 1, "abc": 3, "\x07": 0}, 2)
    assert count_pieces(_letters, ["a", "abc"], None) == ({"a": 1, "abc": 3}, 0)
    assert count_pieces(lambda words: tf.strings.length(words), ["a", "abc"], 7) == ({"a": 1, "abc": 1}, 0)


def test_what_is_refused(write):
    reader = _write(write, [3, 4])
    with pytest.raises(ValueError, match=r"`overlap` must be None .* Give `max_length`"):
        reader.batches(2, encode=_letters, overlap=4)
    with pytest.raises(ValueError, match="overlap=-1"):
        reader.batches(2, encode=_letters, overlap=-1, max_length=8)
    with pytest.raises(ValueError, match=r"`max_length` must be an integer >= 3"):
        reader.batches(2, encode=_letters, overlap=1, max_length=2, special_ids={"start": 1, "end": 2})
