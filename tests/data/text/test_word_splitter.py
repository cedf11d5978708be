"""Words of the splitter against a plain-Python reading of its rules, annotated corpora, and what offsets promise."""

import random
import subprocess
import sys
import unicodedata

import keras
import pytest
import tensorflow as tf

import unitools as ut
from tests.data.text.reference_splitter import ABBREVIATIONS, random_texts, split


def found(splitter, texts):
    """Return (word, offsets) pairs, text by text."""
    parts = splitter.split(texts)
    rows = zip(parts["words"].to_list(), parts["offsets"].to_list(), strict=True)
    return [[(word.decode(), span) for word, span in zip(*row, strict=True)] for row in rows]


def words(text, **options):
    return [word for word, _ in found(ut.data.WordSplitter(**options), [text])[0]]


@pytest.mark.parametrize("options", [{}, {"split_clitics": False}, {"split_chinese": False}])
def test_random_texts_against_the_rules_in_python(options):
    texts = random_texts(5000, seed=1)
    ours = found(ut.data.WordSplitter(abbreviations=ABBREVIATIONS, **options), texts)
    wrong = [(text, got) for text, got in zip(texts, ours, strict=True) if got != split(text, **options)]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"It isn\'t," Mr. Day said (in the U.S.).', '" It is n\'t , " Mr. Day said ( in the U.S. ) .'),
        ("John's dogs' tails, can’t they've I'm", "John 's dogs ' tails , ca n’t they 've I 'm"),  # noqa: RUF001
        ("It is up. See me. Plan B. No way...", "It is up . See me . Plan B. No way ..."),
        ("$1,000.50 C$29 100€ 15%, 12:30 and/or 6-4", "$ 1,000.50 C$ 29 100 € 15 % , 12:30 and/or 6-4"),
        ("1. Smith (Britain) 20. 1.", "1. Smith ( Britain ) 20 . 1 ."),
        ("(See http://a.org/(b)--c?d='e), me@x.com.", "( See http://a.org/(b)--c?d='e ) , me@x.com ."),
        ("Paris,France NYSE:IBM 1,5 a--b—c…", "Paris , France NYSE : IBM 1,5 a -- b — c …"),
        ("«¿Qué?» ‘x’ „y“", "« ¿ Qué ? » ‘ x ’ „ y “"),  # noqa: RUF001
        ("他说,hello。", "他 说 , hello 。"),
        ("שלום, عالم، 👩\u200d👧!", "שלום , عالم ، 👩\u200d👧 !"),
    ],
)
def test_examples(text, expected):
    assert words(text) == expected.split(" ")


def test_options():
    assert words("Approx. Mr. Day isn't 中国", abbreviations=["Approx."]) == [
        "Approx.",
        "Mr",
        ".",
        "Day",
        "is",
        "n't",
        "中",
        "国",
    ]
    assert words("isn't Day's 中国", split_clitics=False, split_chinese=False) == ["isn't", "Day's", "中国"]
    assert words("J. a", abbreviations=[]) == ["J.", "a"]


@pytest.mark.parametrize("text", ["", " ", "\x00\x1f\u200b", "'s", "'", ".", "a", "1."])
def test_short_texts_first_and_last_in_a_batch(text):
    alone, row = found(ut.data.WordSplitter(), [text]), found(ut.data.WordSplitter(), [text, "x y.", text])
    assert alone == [split(text)] and row == [split(text), split("x y."), split(text)]


def test_no_texts():
    parts = ut.data.WordSplitter()([])
    assert parts["words"].shape == (0, 0) and parts["offsets"].shape == (0, 0, 2)


def test_every_kind_of_character_is_in_a_word_or_is_not_seen():
    """Offsets cut out the words, in order; only white space, controls and format characters lie between."""
    draw = random.Random(2)
    points = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    texts = ["".join(map(chr, draw.choices(points, k=20))) + "\u202ea b" for _ in range(500)]
    texts += ["".join(map(chr, draw.choices(range(0x3100), k=20))) for _ in range(2000)]
    for text, pairs in zip(texts, found(ut.data.WordSplitter(), texts), strict=True):
        at = 0
        for word, (begin, end) in pairs:
            assert at <= begin < end and text[begin:end] == word and not any(map(str.isspace, word))
            assert all(map(_is_unseen, text[at:begin]))
            at = end
        assert all(map(_is_unseen, text[at:]))


def _is_unseen(character):
    return character.isspace() or unicodedata.category(character) in ("Cc", "Cf")


def test_invalid_bytes_count_one_character_each():
    parts = ut.data.WordSplitter().split(tf.constant([b"good\xff day", b"\xe2\x82"]))
    assert parts["offsets"].to_list() == [[[0, 5], [6, 9]], [[0, 1]]]
    assert parts["words"].to_list()[1] == ["\ufffd".encode()]


def test_a_long_text():
    text = "Mr. Day's (U.S.) dogs, isn't it? " * 2000
    once = ["Mr.", "Day", "'s", "(", "U.S.", ")", "dogs", ",", "is", "n't", "it", "?"]
    assert words(text) == once * 2000


def sentences(folder, part):
    text = (folder / f"{part}.iob2.txt").read_text(encoding="utf-8")
    rows = [[line.split("\t")[0] for line in block.split("\n") if line] for block in text.strip().split("\n\n")]
    return [row for row in rows if row[0] != "-DOCSTART-"]


def running_text(row):
    """Write words as a newspaper does: closing marks and clitics at the word before, opening ones at the word after."""
    text, spans, glued, quoted = "", [], True, False
    for word in row:
        quoted ^= word == '"'
        closes = word in (",", ".", ";", ":", "!", "?", ")", "]", "...", "n't") or (word[0] == "'" and len(word) > 1)
        text += "" if glued or closes or (word == '"' and not quoted) else " "
        spans.append([len(text), len(text) + len(word)])
        text += word
        glued = word in ("(", "[", "$") or (word == '"' and quoted)
    return text, spans


@pytest.mark.parametrize(("name", "least"), [("conll2003-en", 0.997), ("wikigold", 0.97)])
@pytest.mark.parametrize("part", ["train", "dev", "test"])
def test_words_of_corpora_come_back(shared_data, name, least, part):
    rows = sentences(shared_data(name), part)
    again = [[word for word, _ in pairs] for pairs in found(ut.data.WordSplitter(), [" ".join(row) for row in rows])]
    assert sum(map(list.__eq__, rows, again)) >= least * len(rows)


@pytest.mark.parametrize(("name", "least"), [("conll2003-en", 0.999), ("wikigold", 0.995)])
def test_words_of_running_text_come_back(shared_data, name, least):
    rows = sentences(shared_data(name), "test")
    texts, spans = zip(*map(running_text, rows), strict=True)
    ours = [{tuple(span) for _, span in pairs} for pairs in found(ut.data.WordSplitter(), list(texts))]
    kept = sum(tuple(span) in got for row, got in zip(spans, ours, strict=True) for span in row)
    assert kept >= least * sum(map(len, rows))


def test_in_a_functional_model_and_in_tf_data():
    splitter, texts = ut.data.WordSplitter(), ["It isn't.", "", "a, b"]
    inputs = keras.Input((), dtype="string")
    model = keras.Model(inputs, splitter(inputs)["words"])
    expected = [[b"It", b"is", b"n't", b"."], [b""] * 4, [b"a", b",", b"b", b""]]
    assert model(tf.constant(texts)).numpy().tolist() == expected
    (mapped,) = tf.data.Dataset.from_tensor_slices(texts).batch(3).map(splitter)
    assert mapped["words"].numpy().tolist() == expected
    assert mapped["offsets"].numpy()[0, :, 0].tolist() == [0, 3, 5, 8]


CLIENT = """
import sys, tensorflow as tf
served = tf.saved_model.load(sys.argv[1])
print(b" ".join(served.split(tf.constant(["Mr. Day's 中国."]))["words"][0].numpy()).decode())
print([name for name in ("keras", "tensorflow_text", "unitools", "keras_hub") if name in sys.modules])
"""


def test_serves_where_only_tensorflow_is_imported(tmp_path):
    module = tf.Module()
    module.splitter = ut.data.WordSplitter()
    module.split = tf.function(module.splitter, input_signature=[tf.TensorSpec([None], tf.string)])
    tf.saved_model.save(module, str(tmp_path / "model"))
    command = [sys.executable, "-c", CLIENT, str(tmp_path / "model")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout.splitlines()
    assert printed[-2] == "Mr. Day 's 中 国 ."
    assert "tensorflow_text" not in printed[-1] and "unitools" not in printed[-1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ut.data.WordSplitter(abbreviations="Mr."), "`abbreviations` must be a list"),
        (lambda: ut.data.WordSplitter(abbreviations=["a-b."]), "letters and periods"),
        (lambda: ut.data.WordSplitter()([["a"]]), r"of shape \(batch,\)"),
        (lambda: ut.data.WordSplitter()(tf.ragged.constant([["a"]])), r"of shape \(batch,\)"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
