"""Other sources than whole folders of Transformers: keras-hub, names, and files that cannot be used."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import unitools as ut

for needed in ("torch", "transformers"):
    pytest.importorskip(needed, reason="needs the extra [test]: transformers and torch")
from tests.backbones.text_references import hidden_states, reference, text_batch  # noqa: E402

HUB = {"num_layers": 2, "num_heads": 3, "hidden_dim": 12, "intermediate_dim": 20, "max_sequence_length": 24}


def hub_encoder(name):
    """Return a small encoder of keras-hub whose weights, biases included, are random."""
    import keras_hub

    options = {"vocab_size": 40, "embedding_dim": 5} if name == "Electra" else {"vocabulary_size": 40}
    model = getattr(keras_hub.models, f"{name}Backbone")(**HUB, **options)
    generator = np.random.default_rng(0)
    model.set_weights([weight + 0.3 * generator.normal(size=weight.shape) for weight in model.get_weights()])
    return model


@pytest.mark.parametrize("name", ["Bert", "DistilBert", "Roberta", "Electra"])
def test_a_folder_of_keras_hub_gives_its_outputs(name, tmp_path, no_network):
    model = hub_encoder(name)
    model.save_to_preset(str(tmp_path))
    backbone = ut.backbones.bert(tmp_path)
    batch = text_batch()
    given = batch | {"padding_mask": batch["padding_mask"].astype("int32")}
    if "segment_ids" in model.input:
        given["segment_ids"] = np.zeros_like(batch["token_ids"])
    outputs = model(given)
    expected = outputs["sequence_output"] if isinstance(outputs, dict) else outputs
    ours, mask = backbone(batch), batch["padding_mask"]
    np.testing.assert_allclose(np.asarray(ours["sequence_output"])[mask], np.asarray(expected)[mask], atol=1e-4)
    if isinstance(outputs, dict):
        np.testing.assert_allclose(ours["pooled_output"], outputs["pooled_output"], atol=1e-4)
    assert isinstance(ut.backbones.load(tmp_path), ut.backbones.TextBackbone)
    assert no_network == []


def test_an_address_in_transformers_format_is_read_as_such(tmp_path, monkeypatch):
    hub = pytest.importorskip("huggingface_hub")
    model = reference("bert", tmp_path)
    monkeypatch.setattr(hub, "hf_hub_download", lambda repository, name: str(tmp_path / name))
    monkeypatch.setattr(hub, "snapshot_download", lambda repository, allow_patterns: str(tmp_path))
    backbone = ut.backbones.bert("hf://someone/something")
    ours = np.asarray(backbone(text_batch())["sequence_output"])
    np.testing.assert_allclose(ours[0], hidden_states(model, text_batch())[0][0], atol=1e-4)


def test_an_unknown_name_says_how_to_write_an_address():
    with pytest.raises(ValueError, match=r'"hf://owner/model"'):
        ut.backbones.bert("bert-base-casted")


def test_names_of_tensorflow_models_are_understood(tmp_path):
    model = reference("bert", tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    renamed = {name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): value
               for name, value in tensors.items()}  # fmt: skip
    renamed["embeddings.position_ids"] = np.arange(24)[None]
    save_file({f"bert.{name}": value for name, value in renamed.items()}, tmp_path / "model.safetensors")
    backbone = ut.backbones.bert(tmp_path)
    assert backbone.weights_report.skipped == ("embeddings.position_ids",)
    ours = np.asarray(backbone(text_batch())["sequence_output"])
    np.testing.assert_allclose(ours[0], hidden_states(model, text_batch())[0][0], atol=1e-4)


def test_half_precision_files(tmp_path):
    model = reference("bert", tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    save_file({name: value.astype("float16") for name, value in tensors.items()}, tmp_path / "model.safetensors")
    ours = np.asarray(ut.backbones.bert(tmp_path)(text_batch())["sequence_output"])
    np.testing.assert_allclose(ours[0], hidden_states(model, text_batch())[0][0], atol=2e-2)


def change(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_weights_that_do_not_fit_their_config(tmp_path):
    reference("bert", tmp_path)
    change(tmp_path, intermediate_size=16, num_hidden_layers=1)
    with pytest.raises(ut.backbones.WeightsFileError) as error:
        ut.backbones.bert(tmp_path)
    assert "16 unexpected, 3 of the wrong shape" in str(error.value)
    assert "encoder.layer.0.intermediate.dense.weight (model (16, 12), file (20, 12))" in str(error.value)
    report = ut.backbones.bert(tmp_path, allow_partial=True).weights_report
    assert not report.complete and "pooler.dense.weight" in report.matched


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"model_type": "gpt2"}, "describes a model of type 'gpt2', expected one of bert"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type='relative_key', expected 'absolute'"),
        ({"hidden_act": "mish"}, "the activation 'mish' is none of gelu"),
        ({"vocab_size": None}, "lacks 'vocab_size'"),
    ],
)
def test_configs_that_cannot_be_built(changes, text, tmp_path):
    reference("bert", tmp_path)
    change(tmp_path, **changes)
    with pytest.raises(ut.backbones.WeightsFileError, match=text):
        ut.backbones.bert(tmp_path)


def test_files_that_cannot_be_used(tmp_path):
    with pytest.raises(ut.backbones.WeightsFileError, match="No folder at"):
        ut.backbones.bert(tmp_path / "absent")
    reference("bert", tmp_path)
    with pytest.raises(ut.backbones.WeightsFileError, match="SHA-256"):
        ut.backbones.bert(tmp_path, sha256="0" * 64)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ut.backbones.WeightsFileError, match="damaged"):
        ut.backbones.bert(tmp_path)
    path.rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(ut.backbones.WeightsFileError, match=r"holds pytorch_model.bin, expected model.safetensors"):
        ut.backbones.bert(tmp_path)
    assert ut.backbones.bert(tmp_path, None).weights_report is None


def test_a_text_that_is_too_long(tmp_path):
    reference("bert", tmp_path)
    with pytest.raises(ValueError, match="at most 24 tokens long"):
        ut.backbones.bert(tmp_path)(text_batch(length=25))


@pytest.mark.parametrize("options", [{"dropout": 1.0}, {"segments": 1}, {"weights": 3}, {"sha256": 5}, {"source": ""}])
def test_bad_arguments(options, tmp_path):
    (name,) = options
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        ut.backbones.bert(**({"source": tmp_path} | options))
