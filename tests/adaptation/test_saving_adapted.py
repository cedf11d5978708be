"""Keras' own files, and exports, of models with adapters in them."""

import copy

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.adaptation.small_models import answers, attention, convolutions, encoder, inputs_of, mlp, train

adaptation = ut.adaptation
MODELS = pytest.mark.parametrize("make", [mlp, encoder, attention, convolutions])


def trained(make, adapter):
    model = make()
    adapter.apply(model, seed=1)
    train(model)
    return model


@MODELS
def test_a_weights_file_keeps_the_factors_apart(make, tmp_path):
    model = make()
    for name in ("one", "two"):
        adaptation.LoRA(2, name=name).apply(model)
        train(model)
    model.save_weights(tmp_path / "model.weights.h5")
    again = make(seed=5)
    for name in ("one", "two"):
        adaptation.LoRA(2, name=name).apply(again)
    again.load_weights(tmp_path / "model.weights.h5")
    for name in (None, "one", "two"):
        adaptation.activate(model, name)
        adaptation.activate(again, name)
        np.testing.assert_array_equal(answers(again), answers(model))
    for ours, theirs in zip(again.weights, model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_weights_file_of_other_adapters_is_refused(tmp_path):
    model = trained(mlp, adaptation.LoRA(2))
    model.save_weights(tmp_path / "model.weights.h5")
    mlp().save_weights(tmp_path / "base.weights.h5")
    other = trained(mlp, adaptation.LoRA(2, name="other"))
    for name in ("model", "base"):
        with pytest.raises(ValueError, match="same adapters"):
            other.load_weights(tmp_path / f"{name}.weights.h5")
    adaptation.merge(model)
    with pytest.raises(ValueError, match="unmerge"):
        model.load_weights(tmp_path / "model.weights.h5")
    model.save_weights(tmp_path / "merged.weights.h5")
    adaptation.unmerge(model)
    with pytest.raises(ValueError, match="unmerge"):
        model.load_weights(tmp_path / "merged.weights.h5")


@MODELS
def test_a_keras_file_needs_a_merged_model(make, tmp_path):
    model = trained(make, adaptation.LoRA(2))
    for write in (lambda: model.save(tmp_path / "model.keras"), model.to_json,
                  lambda: keras.models.clone_model(model), lambda: copy.deepcopy(model)):  # fmt: skip
        with pytest.raises(ValueError, match=r"adapter 'default'.*merge\(model\)"):
            write()
    wanted = answers(model)
    adaptation.merge(model)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(answers(again), wanted, rtol=1e-4, atol=1e-5)
    assert len(again.weights) == len(make().weights)
    adaptation.unmerge(model)
    with pytest.raises(ValueError, match="merge"):
        model.save(tmp_path / "model.keras")


def test_a_keras_file_of_a_model_around_an_adapted_one(tmp_path):
    inner = mlp()
    inputs = keras.Input((6,))
    outer = keras.Model(inputs, keras.layers.Dense(3)(inner(inputs)))
    adaptation.LoRA(2).apply(inner)
    with pytest.raises(ValueError, match="adapter 'default'"):
        outer.save(tmp_path / "model.keras")


def test_biases_and_a_switched_off_adapter_are_no_obstacle(tmp_path):
    model = trained(encoder, adaptation.BitFit())
    model.save(tmp_path / "biases.keras")
    again = keras.models.load_model(tmp_path / "biases.keras")
    np.testing.assert_array_equal(answers(again), answers(model))
    train(again)
    model = trained(encoder, adaptation.LoRA(2))
    adaptation.activate(model, None)
    model.save(tmp_path / "base.keras")
    again = keras.models.load_model(tmp_path / "base.keras")
    np.testing.assert_array_equal(answers(again), answers(encoder()))


@pytest.mark.parametrize(
    ("adapter", "make"),
    [
        (adaptation.LoRA(2, dropout=0.3), encoder),
        (adaptation.LoRA(2), attention),
        (adaptation.LoRA(2), convolutions),
        (adaptation.BottleneckAdapter(4), encoder),
        (adaptation.PrefixTuning(3), encoder),
        (adaptation.PrefixTuning(3), attention),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_exports_answer_as_the_model(adapter, make, tmp_path):
    model = trained(make, adapter)
    kinds = ("unmerged", "merged") if isinstance(adapter, adaptation.LoRA) else ("unmerged",)
    wanted, x = answers(model), inputs_of(model)
    for kind in kinds:
        if kind == "merged":
            adaptation.merge(model)
        ut.export.saved_model(model, tmp_path / kind, inputs="arrays", fresh_process=False)
        signature = tf.saved_model.load(str(tmp_path / kind)).signatures["serving_default"]
        (name,) = signature.structured_input_signature[1]
        (found,) = signature(**{name: tf.constant(x)}).values()
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_keras_own_export(tmp_path):
    model = trained(encoder, adaptation.LoRA(2))
    model.export(tmp_path / "served", verbose=False)
    served = tf.saved_model.load(str(tmp_path / "served"))
    np.testing.assert_allclose(served.serve(inputs_of(model)), answers(model), rtol=1e-4, atol=1e-5)


def test_a_checkpoint_of_tensorflow(tmp_path):
    model = trained(encoder, adaptation.LoRA(2))
    tf.train.Checkpoint(model=model).write(str(tmp_path / "checkpoint"))
    again = encoder(seed=3)
    adaptation.LoRA(2).apply(again)
    tf.train.Checkpoint(model=again).read(str(tmp_path / "checkpoint")).assert_existing_objects_matched()
    np.testing.assert_array_equal(answers(again), answers(model))
