"""Several adapters on one base: switching, merging, removing."""

import keras
import numpy as np
import pytest

import unitools as ut
from tests.adaptation.small_models import answers, attention, convolutions, encoder, inputs_of, mlp, train, values
from unitools.adaptation.adapter_slot import slot_of

adaptation = ut.adaptation
MODELS = pytest.mark.parametrize("make", [mlp, encoder, attention, convolutions])


@MODELS
def test_each_adapter_has_answers_of_its_own(make):
    model = make()
    base = answers(model)
    found = {}
    for name, rank in (("one", 1), ("two", 2)):
        adaptation.LoRA(rank, name=name, train_also=("head", "biases")).apply(model, seed=rank)
        np.testing.assert_allclose(answers(model), base, atol=1e-6)
        train(model)
        found[name] = answers(model)
    assert np.abs(found["one"] - found["two"]).max() > 1e-3
    for name in ("one", None, "two", None, "one"):
        adaptation.activate(model, name)
        np.testing.assert_allclose(answers(model), base if name is None else found[name], atol=1e-6)
    assert [report.active for report in adaptation.adapters(model).values()] == [True, False]
    adaptation.remove(model, "two")
    np.testing.assert_array_equal(answers(model), found["one"])
    adaptation.remove(model)
    np.testing.assert_allclose(answers(model), base, atol=1e-6)


def test_training_one_adapter_leaves_the_other():
    model = mlp()
    for name in ("one", "two"):
        adaptation.LoRA(2, name=name).apply(model)
        train(model)
    part = slot_of(model.get_layer("first")).parts["one"]
    before = part.a.numpy(), part.b.numpy()
    train(model)
    np.testing.assert_array_equal(part.a, before[0])
    np.testing.assert_array_equal(part.b, before[1])
    learning = [weight.path.partition("/")[2] for weight in model.trainable_weights]
    assert learning == ["two/a", "two/b", "two/a", "two/b", "top/kernel", "top/bias"]


def test_kinds_mix():
    model = encoder()
    base = answers(model)
    kinds = {
        "lora": adaptation.LoRA(2, name="lora"),
        "bottleneck": adaptation.BottleneckAdapter(4, name="bottleneck"),
        "prefix": adaptation.PrefixTuning(3, name="prefix"),
        "biases": adaptation.BitFit(name="biases"),
    }
    found = {}
    for name, adapter in kinds.items():
        adapter.apply(model, seed=1)
        train(model)
        found[name] = answers(model)
    for name, wanted in found.items():
        adaptation.activate(model, name)
        np.testing.assert_allclose(answers(model), wanted, atol=1e-6)
    adaptation.activate(model, None)
    np.testing.assert_allclose(answers(model), base, atol=1e-6)


@MODELS
def test_merged_answers_the_same_and_unmerging_restores_every_bit(make):
    model = make()
    adaptation.LoRA(2).apply(model, seed=1)
    train(model, 5)
    before, unmerged = values(model), answers(model)
    adaptation.merge(model)
    assert adaptation.adapters(model)["default"].merged
    assert any((value != before[path]).any() for path, value in values(model).items())
    np.testing.assert_allclose(answers(model), unmerged, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.predict(inputs_of(model), verbose=0), unmerged, rtol=1e-4, atol=1e-5)
    adaptation.unmerge(model)
    for path, value in values(model).items():
        np.testing.assert_array_equal(value, before[path])
    np.testing.assert_array_equal(answers(model), unmerged)


def test_a_merged_adapter_does_not_learn():
    model = mlp()
    adaptation.LoRA(2).apply(model)
    adaptation.merge(model)
    assert [weight.name for weight in model.trainable_weights] == ["kernel", "bias"]
    for call in (lambda: adaptation.activate(model, None), lambda: adaptation.remove(model),
                 lambda: adaptation.LoRA(name="more").apply(model), lambda: adaptation.merge(model)):  # fmt: skip
        with pytest.raises(ValueError, match="unmerge"):
            call()
    adaptation.unmerge(model)
    assert len(model.trainable_weights) == 6
    with pytest.raises(ValueError, match="must be merged"):
        adaptation.unmerge(model)


@MODELS
def test_a_permanent_merge_leaves_an_ordinary_model(make, tmp_path):
    model, plain = make(), make()
    adaptation.LoRA(2, train_also=("head", "norms")).apply(model, seed=1)
    train(model)
    trained = answers(model)
    adaptation.merge(model, permanent=True)
    assert adaptation.adapters(model) == {}
    assert [type(layer) for layer in model._flatten_layers()] == [type(layer) for layer in plain._flatten_layers()]
    assert len(model.trainable_weights) == len(plain.trainable_weights)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(answers(again), trained, rtol=1e-4, atol=1e-5)
    train(again)


@pytest.mark.parametrize("kind", [adaptation.BottleneckAdapter, adaptation.PrefixTuning])
def test_what_kernels_cannot_hold_is_not_merged(kind):
    model = encoder()
    kind().apply(model)
    with pytest.raises(ValueError, match=f"no {kind.__name__}"):
        adaptation.merge(model)


def test_removing_restores_what_was_frozen():
    model = mlp()
    adaptation.freeze(model, "first")
    flags = [weight.trainable for weight in model.weights]
    adaptation.LoRA(2).apply(model)
    assert "first/default/a" in [weight.path for weight in model.trainable_weights]
    adaptation.remove(model)
    assert [weight.trainable for weight in model.weights] == flags
    assert [layer.trainable for layer in model.layers] == [False, True, True]


def test_a_frozen_model_can_be_adapted():
    inputs = keras.Input((6,))
    base = mlp()
    base.trainable = False
    model = keras.Model(inputs, keras.layers.Dense(3, name="head")(base(inputs)))
    adaptation.LoRA(2, layers=("first", "second")).apply(model)
    before = values(model)
    train(model)
    moved = {path for path, value in values(model).items() if (value != before[path]).any()}
    assert len(moved) == 2 * 2 + 2


def test_names():
    model = mlp()
    adaptation.LoRA(2).apply(model)
    with pytest.raises(ValueError, match="name='default'.*remove"):
        adaptation.LoRA(2).apply(model)
    for call in (adaptation.activate, adaptation.merge, adaptation.remove):
        with pytest.raises(ValueError, match="'default'.*name='other'"):
            call(model, "other")
    with pytest.raises(ValueError, match="name='a/b'"):
        adaptation.LoRA(name="a/b")
    with pytest.raises(ValueError, match="one of the model's adapters"):
        adaptation.remove(mlp())
    with pytest.raises(TypeError, match="Dense"):
        adaptation.adapters(keras.layers.Dense(2))
    with pytest.raises(ValueError, match="built"):
        adaptation.LoRA().apply(keras.Sequential([keras.layers.Dense(2)]))


def test_a_failed_apply_leaves_the_model_as_it_was():
    model = mlp()
    before = [type(layer) for layer in model.layers], [weight.path for weight in model.trainable_weights]
    with pytest.raises(ValueError, match=r"from 1 to 6.*'first'.*rank=7"):
        adaptation.LoRA(7).apply(model)
    assert before == ([type(layer) for layer in model.layers], [weight.path for weight in model.trainable_weights])
    assert adaptation.adapters(model) == {}
