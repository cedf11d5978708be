"""Adapter files: what is in them, that training goes on, and what is wrong with bad ones."""

import json

import keras
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import unitools as ut
from tests.adaptation.small_models import answers, attention, convolutions, encoder, inputs_of, mlp, train
from unitools.adaptation.adapter_slot import slot_of

adaptation = ut.adaptation
KINDS = {
    "lora": adaptation.LoRA(2, alpha=3, dropout=0.2, train_also=("head", "norms")),
    "bottleneck": adaptation.BottleneckAdapter(4, activation="gelu"),
    "bias": adaptation.BitFit(),
    "prefix": adaptation.PrefixTuning(3),
}


CASES = [
    *((kind, encoder) for kind in KINDS),
    *(("lora", make) for make in (mlp, attention, convolutions)),
    ("prefix", attention),
    ("bias", mlp),
]


@pytest.mark.parametrize(("kind", "make"), CASES, ids=[f"{kind}-{make.__name__}" for kind, make in CASES])
def test_training_goes_on_as_if_it_had_not_stopped(kind, make, tmp_path):
    whole = make()
    KINDS[kind].apply(whole, seed=4)
    losses = train(whole, 6)

    first = make()
    KINDS[kind].apply(first, seed=4)
    begun = train(first, 3)
    adaptation.save_adapter(first, tmp_path / "adapter.safetensors")
    optimizer = [variable.numpy() for variable in first.optimizer.variables]

    second = make()
    report = adaptation.load_adapter(second, tmp_path / "adapter.safetensors")
    assert report == adaptation.adapters(first)["default"]
    np.testing.assert_array_equal(answers(second), answers(first))
    second.compile(keras.optimizers.Adam(0.05), "mse")
    second.optimizer.build(second.trainable_variables)
    for variable, value in zip(second.optimizer.variables, optimizer, strict=True):
        variable.assign(value)
    assert begun + train(second, 3, first=3, compile=False) == losses
    np.testing.assert_array_equal(answers(second), answers(whole))


def test_gradients_after_loading_are_not_zero(tmp_path):
    model = mlp()
    adaptation.LoRA(2).apply(model)
    train(model)
    adaptation.save_adapter(model, tmp_path / "a.safetensors")
    again = mlp()
    adaptation.load_adapter(again, tmp_path / "a.safetensors")
    again.save_weights(tmp_path / "again.weights.h5")
    third = mlp(seed=9)
    adaptation.LoRA(2).apply(third)
    third.load_weights(tmp_path / "again.weights.h5")
    for loaded in (again, third):
        part = slot_of(loaded.get_layer("second")).part
        before = part.a.numpy(), part.b.numpy()
        assert before[0].any()
        assert before[1].any()
        train(loaded, 1)
        assert (part.a.numpy() != before[0]).all()
        assert (part.b.numpy() != before[1]).all()


def test_the_file_holds_what_was_trained_and_nothing_else(tmp_path):
    model = convolutions()
    adaptation.LoRA(2, train_also=("head", "norms")).apply(model)
    train(model)
    path = adaptation.save_adapter(model, tmp_path / "a.safetensors")
    norms = {
        f"weight:norm{number}/{name}"
        for number in (1, 2)
        for name in ("gamma", "beta", "moving_mean", "moving_variance")
    }
    factors = {f"own:conv{number}/{name}" for number in (1, 2) for name in ("a", "b")}
    assert set(load_file(path)) == norms | factors | {"weight:head/output/kernel", "weight:head/output/bias"}
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    assert json.loads(metadata["description"])["config"]["rank"] == 2
    assert json.loads(metadata["written_by"])["keras"] == keras.__version__


def test_what_was_unfrozen_later_is_in_the_file(tmp_path):
    model = mlp()
    adaptation.LoRA(2, layers="second").apply(model)
    model.get_layer("first").bias.trainable = True
    train(model)
    assert model.get_layer("first").bias.numpy().any()
    adaptation.save_adapter(model, tmp_path / "a.safetensors")
    again = mlp()
    adaptation.load_adapter(again, tmp_path / "a.safetensors")
    np.testing.assert_array_equal(answers(again), answers(model))
    assert len(again.trainable_weights) == len(model.trainable_weights)


def test_the_active_adapter_is_no_part_of_the_base(tmp_path):
    model = mlp()
    adaptation.LoRA(2, name="one").apply(model)
    train(model)
    one = answers(model)
    adaptation.LoRA(3, name="two").apply(model)
    train(model)
    adaptation.save_adapter(model, tmp_path / "one.safetensors", "one")
    adaptation.merge(model)
    adaptation.save_adapter(model, tmp_path / "two.safetensors")
    adaptation.unmerge(model)
    two = answers(model)
    other = mlp()
    adaptation.load_adapter(other, tmp_path / "two.safetensors")
    np.testing.assert_array_equal(answers(other), two)
    adaptation.load_adapter(other, tmp_path / "one.safetensors")
    np.testing.assert_array_equal(answers(other), one)
    adaptation.load_adapter(other, tmp_path / "two.safetensors")
    np.testing.assert_array_equal(answers(other), two)


def test_the_head_of_the_base_does_not_matter_and_the_rest_does(tmp_path):
    model = mlp()
    adaptation.LoRA(2).apply(model)
    train(model)
    path = adaptation.save_adapter(model, tmp_path / "a.safetensors")
    other = mlp()
    other.get_layer("top").kernel.assign(np.ones((8, 3)))
    adaptation.load_adapter(other, path)
    np.testing.assert_array_equal(answers(other), answers(model))
    changed = mlp()
    kernel = changed.get_layer("first").kernel.numpy()
    kernel[0, 0] = np.nextafter(kernel[0, 0], 1)
    changed.get_layer("first").kernel.assign(kernel)
    before = answers(changed)
    with pytest.raises(adaptation.WrongBaseError, match=r"a\.safetensors.*other values"):
        adaptation.load_adapter(changed, path)
    assert adaptation.adapters(changed) == {}
    np.testing.assert_array_equal(answers(changed), before)
    with pytest.raises(adaptation.WrongBaseError, match="another base"):
        adaptation.load_adapter(encoder(), path)


def test_names_that_keras_made_up_do_not_matter(tmp_path):
    def build():
        return keras.Sequential(
            [keras.Input((6,)), keras.layers.Dense(8), keras.layers.Dense(8), keras.layers.Dense(3)]
        )

    model = build()
    other = build()
    other.set_weights(model.get_weights())
    assert model.layers[0].name != other.layers[0].name
    adaptation.LoRA(2, layers=model.layers[1].name).apply(model)
    train(model)
    adaptation.load_adapter(other, adaptation.save_adapter(model, tmp_path / "a.safetensors"))
    np.testing.assert_array_equal(answers(other), answers(model))


def test_another_adapter_of_the_same_name(tmp_path):
    model = mlp()
    adaptation.LoRA(2).apply(model)
    path = adaptation.save_adapter(model, tmp_path / "a.safetensors")
    other = mlp()
    adaptation.LoRA(3).apply(other)
    with pytest.raises(adaptation.AdapterFileError, match="does not fit.*'default'"):
        adaptation.load_adapter(other, path)
    assert adaptation.load_adapter(other, path, name="more").name == "more"
    assert list(adaptation.adapters(other)) == ["default", "more"]


def test_bad_files(tmp_path):
    model = mlp()
    adaptation.LoRA(2).apply(model)
    path = adaptation.save_adapter(model, tmp_path / "a.safetensors")
    content = path.read_bytes()
    bad = {
        "garbage": b"no file of tensors at all, but text",
        "empty": b"",
        "short": content[:-7],
        "header": content[:40],
        "flipped": content[:-5] + bytes([content[-5] ^ 4]) + content[-4:],
    }
    for name, written in bad.items():
        damaged = tmp_path / f"{name}.safetensors"
        damaged.write_bytes(written)
        with pytest.raises(adaptation.AdapterFileError, match=f"{name}.*damaged"):
            adaptation.load_adapter(mlp(), damaged)
    with pytest.raises(adaptation.AdapterFileError, match="No file at"):
        adaptation.load_adapter(mlp(), tmp_path / "none.safetensors")
    save_file({"x": np.ones(3)}, tmp_path / "other.safetensors")
    with pytest.raises(adaptation.AdapterFileError, match="no adapter"):
        adaptation.load_adapter(mlp(), tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"ends with \.safetensors"):
        adaptation.save_adapter(model, tmp_path / "a.h5")


@pytest.mark.parametrize(("change", "message"), [
    ({"version": 2}, "version 2.*update"),
    ({"kind": "Unknown"}, "class 'Unknown'.*LoRA"),
    ({"base": None}, "damaged"),
])  # fmt: skip
def test_descriptions_that_cannot_be_used(tmp_path, change, message):
    model = mlp()
    adaptation.LoRA(2).apply(model)
    path = adaptation.save_adapter(model, tmp_path / "a.safetensors")
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    description = json.loads(metadata["description"]) | change
    metadata["description"] = json.dumps({key: value for key, value in description.items() if value is not None})
    save_file(load_file(path), path, metadata)
    with pytest.raises(adaptation.AdapterFileError, match=message):
        adaptation.load_adapter(mlp(), path)


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    model = mlp()
    adaptation.LoRA(2).apply(model)
    path = adaptation.save_adapter(model, tmp_path / "a.safetensors")
    before = path.read_bytes()
    train(model)
    monkeypatch.setattr("os.replace", lambda *names: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(OSError, match="no space"):
        adaptation.save_adapter(model, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_predict_after_loading_uses_the_adapter(tmp_path):
    model, other = mlp(), mlp()
    x = inputs_of(model)
    base = other.predict(x, verbose=0)  # traced without an adapter
    adaptation.LoRA(2).apply(model)
    train(model)
    adaptation.load_adapter(other, adaptation.save_adapter(model, tmp_path / "a.safetensors"))
    np.testing.assert_allclose(other.predict(x, verbose=0), answers(model), atol=1e-6)
    assert np.abs(other.predict(x, verbose=0) - base).max() > 1e-3
