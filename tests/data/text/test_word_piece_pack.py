"""Packing against the reference: special tokens, truncation of pairs, padding; and serving without other packages."""

import random
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.data.text.reference_tokenizer import model_folder, reference

WORDS = ["a", "unbelievable", "tokenizers", "!", "of", "Zürich", "x1y2"]


@pytest.fixture(scope="module")
def texts():
    draw = random.Random(4)
    return [" ".join(draw.choices(WORDS, k=draw.randint(0, 12))) for _ in range(200)]


@pytest.mark.parametrize("length", [3, 8, 9, 64])
@pytest.mark.parametrize("padding", ["longest", "max_length"])
def test_texts(texts, length, padding):
    tokenizer, oracle = packer(length, padding)
    expect_packed(tokenizer(texts), oracle.encode_batch(texts))
    cut = [len(encoded.ids) for encoded in reference().encode_batch(texts, add_special_tokens=False)]
    lost = np.maximum(np.array(cut) - (length - 2), 0)
    np.testing.assert_array_equal(tokenizer(texts)["num_truncated"], lost)


@pytest.mark.parametrize("length", [5, 12, 13, 64])
def test_pairs(texts, length):
    tokenizer, oracle = packer(length, "longest")
    first, second = texts[:100], texts[100:]
    expect_packed(tokenizer((first, second)), oracle.encode_batch(list(zip(first, second, strict=True))))


def packer(length, padding):
    oracle = reference()
    oracle.enable_truncation(length, strategy="longest_first")
    oracle.enable_padding(length=length if padding == "max_length" else None)
    return ut.data.WordPieceTokenizer.from_folder(model_folder(), max_length=length, padding=padding), oracle


def expect_packed(packed, expected):
    columns = {"token_ids": "ids", "padding_mask": "attention_mask", "segment_ids": "type_ids", "offsets": "offsets"}
    real = packed["padding_mask"].numpy()
    for name, attribute in columns.items():
        theirs = np.array([getattr(encoded, attribute) for encoded in expected])
        ours = packed[name].numpy()
        if name == "segment_ids":  # theirs says 0 in the padding, ours too
            ours, theirs = ours[real], theirs[real]
        np.testing.assert_array_equal(ours, theirs)
    words = [[-1 if word is None else word for word in encoded.word_ids] for encoded in expected]
    np.testing.assert_array_equal(packed["word_ids"], words)


def test_lengths_that_hold_no_piece_are_refused():
    with pytest.raises(ValueError, match="max_length"):
        packer(3, "longest")[0]((["a"], ["b"]))
    with pytest.raises(ValueError, match=r"of shape \(batch,\)"):
        packer(8, "longest")[0](tf.constant("a text"))


def test_a_functional_model_in_tf_data(texts):
    tokenizer, _ = packer(16, "max_length")
    inputs = keras.Input((), dtype="string", name="text")
    model = keras.Model(inputs, tokenizer(inputs)["token_ids"])
    assert model.output_shape == (None, 16)
    data = tf.data.Dataset.from_tensor_slices(texts).batch(64).map(tokenizer)
    mapped = np.concatenate([batch["token_ids"] for batch in data])
    np.testing.assert_array_equal(mapped, model(tf.constant(texts)))


CLIENT = """
import sys, tensorflow as tf
served = tf.saved_model.load(sys.argv[1])
ids = served.tokenize(tf.constant(["Unbelievable Zürich! [SEP] 한국", ""]))["token_ids"]
print([name for name in ("keras", "tensorflow_text", "unitools", "keras_hub") if name in sys.modules])
print(ids.numpy().tolist())
"""


def test_serves_where_only_tensorflow_is_imported(tmp_path):
    tokenizer, _ = packer(16, "max_length")
    module = tf.Module()
    module.tokenizer = tokenizer
    module.tokenize = tf.function(tokenizer, input_signature=[tf.TensorSpec([None], tf.string)])
    tf.saved_model.save(module, str(tmp_path / "model"))
    command = [sys.executable, "-c", CLIENT, str(tmp_path / "model")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout.splitlines()
    expected = tokenizer(["Unbelievable Zürich! [SEP] 한국", ""])["token_ids"].numpy().tolist()
    assert printed[-2:] == [printed[-2], str(expected)]
    assert "tensorflow_text" not in printed[-2] and "unitools" not in printed[-2]
