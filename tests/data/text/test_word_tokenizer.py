"""Ids, characters, offsets and batches of whole words against dictionaries and Python strings."""

import subprocess
import sys
from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.data.text.reference_splitter import split

TEXTS = ["The play isn't (very) good.", "", "Good PLAY!", "the Ünique 中国 play, well played"]


def tokenizer(**options):
    words = ut.data.WordVocabulary(["the", "play", "good", ".", "n't"], lowercase=True)
    characters = ut.data.CharacterVocabulary(["T", "h", "e", "p", "中"], max_word_length=4)
    return ut.data.WordTokenizer(words, **({"characters": characters} | options))


def expected_ids(ours, word):
    """Return the id of a word, and those of its characters."""
    ids = {known: number for number, known in enumerate(ours.words.vocabulary, start=2)}
    codes = {known: number for number, known in enumerate(ours.characters.vocabulary, start=2)}
    width = ours.characters.max_word_length
    return ids.get(word.lower(), 1), [*(codes.get(letter, 1) for letter in word), *[0] * width][:width]


def test_texts():
    ours = tokenizer()
    found = {name: part.to_list() for name, part in ours.tokenize(TEXTS).items()}
    for row, text in enumerate(TEXTS):
        pairs = split(text)
        assert found["offsets"][row] == [span for _, span in pairs]
        assert found["word_ids"][row] == list(range(len(pairs)))
        ids = list(zip(found["token_ids"][row], found["character_ids"][row], strict=True))
        assert ids == [expected_ids(ours, word) for word, _ in pairs]


def test_words_keep_their_bounds():
    ours = tokenizer()
    rows = [["The play", "isn't", ""], [], ["Ünï中"]]
    found = ours.tokenize(rows)
    assert found["token_ids"].to_list() == [[1, 1, 1], [], [1]]
    assert found["offsets"].to_list() == [[[0, 8], [0, 5], [0, 0]], [], [[0, 4]]]
    assert found["word_ids"].to_list() == [[0, 1, 2], [], [0]]
    assert found["character_ids"].to_list()[2] == [expected_ids(ours, "Ünï中")[1]]


@pytest.mark.parametrize(
    ("length", "padding"), [(None, "longest"), (3, "longest"), (3, "max_length"), (9, "max_length")]
)
def test_packing(length, padding):
    ours = tokenizer(max_length=length, padding=padding)
    packed = {name: value.numpy() for name, value in ours(TEXTS).items()}
    counts = np.array([len(split(text)) for text in TEXTS])
    kept = counts if length is None else np.minimum(counts, length)
    width = length if padding == "max_length" else kept.max()
    np.testing.assert_array_equal(packed["num_truncated"], counts - kept)
    np.testing.assert_array_equal(packed["padding_mask"], np.arange(width)[None] < kept[:, None])
    rows = ours.tokenize(TEXTS)
    for name, part in rows.items():
        assert packed[name].shape[:2] == (len(TEXTS), width)
        for row, values in enumerate(part.to_list()):
            assert packed[name][row, : kept[row]].tolist() == values[: kept[row]]
            assert np.all(packed[name][row, kept[row] :] == (-1 if name == "word_ids" else 0))


def test_a_batch_of_nothing_has_a_column():
    packed = tokenizer()(["", " "])
    assert packed["token_ids"].shape == (2, 1) and packed["character_ids"].shape == (2, 1, 4)
    assert not packed["padding_mask"].numpy().any()


def test_same_results_as_the_other_tokenizer():
    """Names, axes and types are those of WordPieceTokenizer, so that either fits the same tasks."""
    pieces = ut.data.WordPieceTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"])
    theirs, ours = pieces(TEXTS), tokenizer()(TEXTS)
    assert set(theirs) - set(ours) == {"segment_ids"} and set(ours) - set(theirs) == {"character_ids"}
    for name in set(ours) & set(theirs):
        assert (theirs[name].dtype, len(theirs[name].shape)) == (ours[name].dtype, len(ours[name].shape))
    assert set(pieces.tokenize(TEXTS)) == set(tokenizer(characters=None).tokenize(TEXTS))
    assert (pieces.room, tokenizer(max_length=7).room, tokenizer().room) == (510, 7, 512)


def test_counts_of_tagged_words(shared_data):
    reader = ut.data.ColumnText(shared_data("wikigold") / "train.iob2.txt")
    ours = ut.data.WordTokenizer.from_reader(reader, min_count=2, lowercase=True, max_length=40)
    small = Counter(word.lower() for words, _ in reader.sentences for word in words)
    assert set(ours.words.vocabulary) == {word for word, count in small.items() if count > 1}
    letters = {letter for words, _ in reader.sentences for word in words for letter in word}
    assert set(ours.characters.vocabulary) == letters and ours.max_length == 40
    assert (ours.vocabulary_size, ours.num_characters) == (len(ours.words.vocabulary) + 2, len(letters) + 2)


def test_counts_of_texts(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('text,label\n"It isn\'t, Is it?",a\nit,b\n')
    reader = ut.data.TextTable(path)
    ours = ut.data.WordTokenizer.from_reader(reader, characters=False)
    assert ours.words.vocabulary == ("it", ",", "?", "Is", "It", "is", "n't") and ours.num_characters is None
    whole = ut.data.WordSplitter(split_clitics=False)
    assert "isn't" in ut.data.WordTokenizer.from_reader(reader, splitter=whole).words.vocabulary
    batches = reader.batches(2, encode=ours, shuffle=False, boundaries=[8])
    ((inputs, _),) = batches
    ids = {word: number for number, word in enumerate(ours.words.vocabulary, start=2)}
    first = [ids[word] for word in ("It", "is", "n't", ",", "Is", "it", "?")]
    assert inputs["token_ids"].numpy().tolist() == [[*first, 0], [ids["it"], *[0] * 7]]


def test_a_tagger_of_words_and_characters_learns(shared_data):
    reader = ut.data.ColumnText(shared_data("wikigold") / "dev.iob2.txt")
    ours = ut.data.WordTokenizer.from_reader(reader)
    batches = reader.batches(16, encode=ours, seed=1)
    found = Counter()
    for inputs, labels in batches:
        assert inputs["character_ids"].shape == (*labels.shape, 20)
        np.testing.assert_array_equal(labels.numpy() != -1, inputs["padding_mask"])
        mask = inputs["padding_mask"].numpy()
        found.update(zip(inputs["token_ids"].numpy()[mask].tolist(), labels.numpy()[mask].tolist(), strict=True))
    ids = {word: number for number, word in enumerate(ours.words.vocabulary, start=2)}
    tagged = [pair for words, tags in reader.sentences for pair in zip(words, tags, strict=True)]
    assert found == Counter((ids[word], reader.tag2id[tag]) for word, tag in tagged)
    base = ut.backbones.lstm(ours.vocabulary_size, characters=ours.num_characters, units=4, embedding_size=4)
    model = keras.Model(base.input, keras.layers.Dense(reader.num_tags)(base.output["sequence_output"]))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1))
    before = [weight.numpy() for weight in model.trainable_weights]
    model.fit(batches, epochs=1, steps_per_epoch=1, verbose=0, shuffle=False)
    moved = [np.abs(old - new.numpy()).max() > 0 for old, new in zip(before, model.trainable_weights, strict=True)]
    assert all(moved)


def test_inside_a_saved_model(tmp_path):
    ours = tokenizer(splitter=ut.data.WordSplitter(split_clitics=False), max_length=6)
    inputs = keras.Input((), dtype="string")
    packed = ours(inputs)
    base = ut.backbones.lstm(ours.vocabulary_size, characters=ours.num_characters, units=3, embedding_size=4)
    model = keras.Model(inputs, base({name: packed[name] for name in base.input})["pooled_output"])
    expected = model(tf.constant(TEXTS)).numpy()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(tf.constant(TEXTS)), expected, rtol=1e-5, atol=1e-6)
    (layer,) = [layer for layer in again.layers if isinstance(layer, ut.data.WordTokenizer)]
    assert layer.words.lowercase and layer.splitter.split_clitics is False and layer.characters.max_word_length == 4


CLIENT = """
import sys, tensorflow as tf
served = tf.saved_model.load(sys.argv[1])
print(served.tokenize(tf.constant(["The play isn't good.", ""]))["token_ids"].numpy().tolist())
print([name for name in ("keras", "tensorflow_text", "unitools", "keras_hub") if name in sys.modules])
"""


def test_serves_where_only_tensorflow_is_imported(tmp_path):
    module = tf.Module()
    module.tokenizer = tokenizer()
    module.tokenize = tf.function(module.tokenizer, input_signature=[tf.TensorSpec([None], tf.string)])
    tf.saved_model.save(module, str(tmp_path / "model"))
    command = [sys.executable, "-c", CLIENT, str(tmp_path / "model")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout.splitlines()
    assert printed[-2] == "[[2, 3, 1, 6, 4, 5], [0, 0, 0, 0, 0, 0]]"
    assert "tensorflow_text" not in printed[-1] and "unitools" not in printed[-1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tokenizer()((["a"], ["b"])), "no pairs"),
        (lambda: tokenizer().pack({}, {}), "no pairs"),
        (lambda: tokenizer()(tf.constant("a")), r"of shape \(batch,\)"),
        (lambda: tokenizer(padding="max_length"), "`padding` must be 'longest'"),
        (lambda: ut.data.WordTokenizer(ut.data.WordVocabulary(["a"], split=True)), "split=False"),
        (lambda: ut.data.WordTokenizer.from_reader(["a"]), "`reader` must be a ColumnText"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
