"""Tokens that have characters, from the words of a reader into its batches."""

import numpy as np
import pytest
import tensorflow as tf

from unitools.data import ColumnText, TextTable

WIDTH = 5


def _spelled(words):
    """Give each word the number of its characters as its id, and the codes of its characters, cut or padded."""
    codes = tf.strings.unicode_decode(words.values, "UTF-8").to_tensor(0, shape=[None, WIDTH])
    return {
        "token_ids": words.with_values(tf.strings.length(words.values, "UTF8_CHAR")),
        "character_ids": words.with_values(codes),
    }


def _numbered(words):
    """Do the same, padded, with the number of each word and a token more at each end."""
    found = {key: value.to_tensor() for key, value in _spelled(words).items()}
    ends = [[0, 0], [1, 1]]
    lengths = words.row_lengths()[:, None]
    places = tf.range(tf.shape(found["token_ids"])[1] + 2, dtype=tf.int64)[None]
    return {
        "token_ids": tf.pad(found["token_ids"], ends),
        "character_ids": tf.pad(found["character_ids"], [*ends, [0, 0]]),
        "word_ids": tf.where((places > 0) & (places <= lengths), places - 1, -1),
        "padding_mask": places < lengths + 2,
    }


def _codes(word):
    return [*map(ord, word), *[0] * WIDTH][:WIDTH]


@pytest.mark.parametrize("encode", [_spelled, _numbered])
@pytest.mark.parametrize("shuffle", [False, True])
def test_every_word_has_its_characters_and_its_label(shared_data, encode, shuffle):
    reader = ColumnText(shared_data("wikigold") / "dev.iob2.txt")
    found = []
    for inputs, labels in reader.batches(16, encode=encode, shuffle=shuffle, seed=2):
        ids, characters, labels = inputs["token_ids"].numpy(), inputs["character_ids"].numpy(), labels.numpy()
        assert characters.shape == (*ids.shape, WIDTH) and not characters[~inputs["padding_mask"].numpy()].any()
        for row, tags in enumerate(labels):
            real = tags != -1
            rows = zip(ids[row][real].tolist(), characters[row][real].tolist(), tags[real].tolist(), strict=True)
            found.append(list(rows))
    expected = [
        [(len(word), _codes(word), reader.tag2id[tag]) for word, tag in zip(words, tags, strict=True)]
        for words, tags in reader.sentences
    ]
    order = sorted if shuffle else list
    assert order(found) == order(expected)


def test_texts_and_greatest_lengths(write):
    table = TextTable(write("text,label\nab c def,x\nghijklm,y\n", "t.csv"))
    batches = table.batches(
        2, encode=lambda texts: _spelled(tf.strings.split(texts)), shuffle=False, max_length=2, boundaries=[3]
    )
    ((inputs, _),) = batches
    expected = [[_codes("ab"), _codes("c"), _codes("")], [_codes("ghijklm"), _codes(""), _codes("")]]
    np.testing.assert_array_equal(inputs["character_ids"], expected)
    assert inputs["token_ids"].numpy().tolist() == [[2, 1, 0], [7, 0, 0]] and batches.num_truncated == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda found: found | {"character_ids": found["token_ids"]}, "3 axes, 1 of them ragged"),
        (lambda found: found | {"character_ids": found["character_ids"][:, :1]}, "rows of one length"),
        (lambda found: found | {"token_ids": tf.expand_dims(found["token_ids"], 2)}, "`encode` must be"),
    ],
)
def test_what_does_not_fit_is_named(write, change, message):
    reader = ColumnText(write("Ada\tB-PER\nis\tO\n\nUN\tB-ORG\n"))
    with pytest.raises(ValueError, match=message):
        reader.batches(2, encode=lambda words: change(_spelled(words)))


def test_characters_of_several_widths_are_refused(write):
    reader = ColumnText(write("a O\n\n" * 1024 + "abc O\n"), scheme=None)

    def encode(words):
        codes = tf.strings.unicode_decode(words.values, "UTF-8").to_tensor()
        return _spelled(words) | {"character_ids": words.with_values(codes)}

    with pytest.raises(ValueError, match="one number of characters for all"):
        reader.batches(2, encode=encode)


def test_special_ids_stay_out(write):
    reader = ColumnText(write("Ada\tB-PER\nis\tO\n\nUN\tB-ORG\n"))
    with pytest.raises(ValueError, match="`special_ids` must be without"):
        reader.batches(2, encode=_spelled, special_ids={"start": 1})
