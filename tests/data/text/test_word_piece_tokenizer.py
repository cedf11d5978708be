"""Ids, offsets and word numbers of the tokenizer against the reference, on real and on random text."""

import json
import random

import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.data.text.reference_tokenizer import differences, model_folder, random_texts, reference

VARIANTS = {
    "uncased": {"lowercase": True},
    "cased": {"lowercase": False},
    "uncased, accents kept": {"lowercase": True, "strip_accents": False},
    "cased, accents stripped": {"lowercase": False, "strip_accents": True},
    "ideographs together": {"lowercase": True, "split_chinese": False},
}


def pair(lowercase=True, strip_accents=None, split_chinese=True):
    options = {"lowercase": lowercase, "strip_accents": strip_accents}
    ours = ut.data.WordPieceTokenizer.from_folder(model_folder(), split_chinese=split_chinese, **options)
    return ours, reference(handle_chinese_chars=split_chinese, **options)


@pytest.fixture(scope="module")
def uncased():
    return pair()


def sentences(shared_data):
    text = (shared_data("conll2003-en") / "train.iob2.txt").read_text(encoding="utf-8")
    return [[line.split("\t")[0] for line in block.split("\n") if line] for block in text.strip().split("\n\n")]


def lines(shared_data):
    """Return 3,000 lines of each of four data sets."""
    found = [" ".join(words) for words in sentences(shared_data)][:3000]
    for name in ("banking77", "sst2", "manythings_fra_eng"):
        files = sorted(path for path in shared_data(name).rglob("*") if path.suffix in (".csv", ".tsv", ".txt"))
        texts = [line for path in files for line in path.read_text(encoding="utf-8").split("\n")]
        found += texts[:: max(1, len(texts) // 3000)]
    return found


def test_real_lines(uncased, shared_data):
    texts = lines(shared_data)
    assert len(texts) >= 10_000
    assert differences(*uncased, texts) == []


def test_words(uncased, shared_data):
    assert differences(*uncased, sentences(shared_data)[:2000], is_pretokenized=True) == []


@pytest.mark.parametrize("name", VARIANTS)
def test_random_text(name):
    assert differences(*pair(**VARIANTS[name]), random_texts(1000, seed=1)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_much_random_text(name):
    assert differences(*pair(**VARIANTS[name]), random_texts(10_000, seed=2)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_every_character(name):
    points = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    texts = [f"a{chr(point)}b {chr(point)}{chr(point)}" for point in points]
    compared = pair(**VARIANTS[name])
    for first in range(0, len(texts), 50_000):
        assert differences(*compared, texts[first : first + 50_000]) == []


@pytest.mark.parametrize(
    "text",
    ["", " ", "\x00\x01", "a" * 100, "a" * 101, "ing ##ing", "[SEP][SEP]x[MASK]", "[ SEP ]", "ὈΔΥΣΣΕΎΣ", "İIıi",
     "한국어", "日本 word", "e\u0301\u0301x", "\u0301x", "👩‍👩‍👧", "שלום عالم", "x" * 5000, "[SEP", "[[SEP]]"],
)  # fmt: skip
def test_edges(uncased, text):
    assert differences(*uncased, [text, "next", text]) == []


def test_words_without_pieces_keep_their_number(uncased):
    pieces = uncased[0].tokenize([["\x00", "word", "", "two-fold"], []])
    assert pieces["word_ids"].to_list() == [[1, 3, 3, 3], []]


def test_invalid_bytes_are_left_out(uncased):
    pieces = uncased[0].tokenize(tf.constant([b"good\xff day", b"\xe2\x82"]))
    assert pieces["offsets"].to_list() == [[[0, 4], [6, 9]], []]


def test_vocabularies_of_random_pieces():
    """The trie against a dictionary and Python slices, on vocabularies full of overlaps."""
    draw = random.Random(3)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    for _ in range(3):
        pieces = {draw.choice(["", "##"]) + "".join(draw.choices("abc", k=draw.randint(1, 6))) for _ in range(60)}
        vocabulary = special + sorted(pieces)
        words = ["".join(draw.choices("abcd", k=draw.randint(1, 30), cum_weights=(30, 60, 90, 91))) for _ in range(300)]
        ours = ut.data.WordPieceTokenizer(vocabulary).tokenize(words)["token_ids"].to_list()
        assert ours == [_greedy(word, {token: number for number, token in enumerate(vocabulary)}) for word in words]


def _greedy(word, ids):
    found, at = [], 0
    while at < len(word):
        ends = [end for end in range(len(word), at, -1) if ("##" if at else "") + word[at:end] in ids]
        if not ends:
            return [ids["[UNK]"]]
        found.append(ids[("##" if at else "") + word[at : ends[0]]])
        at = ends[0]
    return found


def test_folders_agree(tmp_path):
    source = model_folder()
    (tmp_path / "vocab.txt").write_bytes((source / "vocab.txt").read_bytes())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": False, "model_max_length": 77}))
    from_text, from_json = map(ut.data.WordPieceTokenizer.from_folder, (tmp_path, source))
    assert from_text.vocabulary == from_json.vocabulary
    assert (from_text.lowercase, from_text.max_length, from_json.lowercase) == (False, 77, True)


def test_folder_equals_transformers():
    transformers = pytest.importorskip("transformers", reason="needs the package transformers")
    theirs = transformers.BertTokenizerFast.from_pretrained(model_folder())
    ours = ut.data.WordPieceTokenizer.from_folder(model_folder(), max_length=12)
    texts = ["It's a test of Tokenizers.", "Unbelievably short", ""]
    expected = theirs(texts, padding=True, truncation=True, max_length=12, return_tensors="np")
    packed = ours(texts)
    np.testing.assert_array_equal(packed["token_ids"], expected["input_ids"])
    np.testing.assert_array_equal(packed["padding_mask"], expected["attention_mask"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"model": {"type": "BPE", "vocab": {}}}, "model.type must be 'WordPiece'"),
        ({"model": {"type": "WordPiece", "vocab": {"a": 0, "b": 2}}}, "without a gap"),
    ],
)
def test_other_tokenizers_are_refused(tmp_path, content, message):
    rest = {"normalizer": {"type": "BertNormalizer"}, "pre_tokenizer": {"type": "BertPreTokenizer"}}
    (tmp_path / "tokenizer.json").write_text(json.dumps(content | rest))
    with pytest.raises(ValueError, match=message):
        ut.data.WordPieceTokenizer.from_folder(tmp_path)


def test_bad_folders_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"vocab.txt or tokenizer.json"):
        ut.data.WordPieceTokenizer.from_folder(tmp_path)
    (tmp_path / "vocab.txt").write_text("[PAD]\n[CLS]\n[SEP]\n[MASK]\nword\n")
    with pytest.raises(ValueError, match=r"has no '\[UNK\]'"):
        ut.data.WordPieceTokenizer.from_folder(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(ValueError, match="no JSON file"):
        ut.data.WordPieceTokenizer.from_folder(tmp_path)


def test_a_token_twice_is_refused():
    with pytest.raises(ValueError, match="'a' as tokens 0 and 2"):
        ut.data.WordPieceTokenizer(["a", "b", "a"])


def test_overlapping_special_tokens_are_refused():
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "]x["]
    with pytest.raises(ValueError, match="cannot overlap"):
        ut.data.WordPieceTokenizer(vocabulary, special_tokens={"other": "]x["})
