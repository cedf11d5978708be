"""Weights files: every format there and back, partial loads, and files that are no weights."""

import hashlib

import h5py
import keras
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from unitools.backbones import Backbone, WeightsFileError, load, load_weights, resnet, save_weights

FORMATS = [".weights.h5", ".safetensors", ".keras"]
PIXELS = np.random.default_rng(1).integers(0, 256, (2, 64, 64, 3)).astype("uint8")


def _random_statistics(model):
    """Give BatchNorm moving statistics that differ from their initial 0 and 1."""
    rng = np.random.default_rng(5)
    for weight in model.non_trainable_weights:
        weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    return model


@pytest.fixture(scope="module")
def resnet50():
    backbone = _random_statistics(resnet("resnet50", weights=None, input_shape=(64, 64, 3)))
    return backbone, backbone.predict(backbone.preprocess(PIXELS), verbose=0)


@pytest.fixture(scope="module", params=FORMATS)
def saved(request, resnet50, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / f"model{request.param}"
    return path, save_weights(resnet50[0], path)


def test_a_resnet_loads_from_its_file_alone(saved, resnet50, no_network):
    path, digest = saved
    again = load(path, sha256=digest)
    outputs = again.predict(again.preprocess(PIXELS), verbose=0)
    np.testing.assert_array_equal(outputs, resnet50[1])
    assert list(again.pyramid_outputs) == [2, 3, 4, 5]
    assert again.input_shape == (None, 64, 64, 3)
    assert no_network == []


def test_a_resnet_loads_by_name_with_a_path(saved, resnet50, no_network):
    path, digest = saved
    again = resnet("resnet50", weights=path, input_shape=(64, 64, 3), sha256=digest)
    np.testing.assert_array_equal(again.predict(again.preprocess(PIXELS), verbose=0), resnet50[1])
    assert again.weights_report.complete
    assert len(again.weights_report.matched) == len(resnet50[0].weights)
    assert no_network == []


def test_save_weights_returns_the_hash_and_leaves_nothing_else(saved):
    path, digest = saved
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert list(path.parent.iterdir()) == [path]


def test_a_wrong_hash_is_refused(saved):
    with pytest.raises(WeightsFileError, match=f"{saved[0].name} has the SHA-256 {saved[1]}, expected {'0' * 64}"):
        load(saved[0], sha256="0" * 64)


def test_a_cut_file_is_refused(saved, tmp_path):
    path, _ = saved
    data = path.read_bytes()
    cut = tmp_path / path.name
    cut.write_bytes(data[: len(data) // 2])
    with pytest.raises(WeightsFileError, match=f"{cut.name} .*"):
        load("resnet50", weights=cut)


def test_keras_reads_ours_and_we_read_keras(resnet50, tmp_path):
    theirs = keras.applications.ResNet50(weights=None, include_top=False, input_shape=(64, 64, 3))
    path = tmp_path / "ours.weights.h5"
    save_weights(resnet50[0], path)
    theirs.load_weights(path)
    scaled = keras.applications.resnet.preprocess_input(PIXELS.astype("float32"))
    np.testing.assert_allclose(theirs.predict(scaled, verbose=0), resnet50[1], rtol=1e-5, atol=1e-6)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    again = load("resnet50", weights=tmp_path / "theirs.weights.h5", input_shape=(64, 64, 3))
    np.testing.assert_array_equal(again.predict(again.preprocess(PIXELS), verbose=0), resnet50[1])


@pytest.mark.parametrize("renamed", [False, True])
def test_keras_2_files_load_by_name_and_by_order(small_network, tmp_path, renamed):
    source, target = small_network(1), small_network(2)
    path = tmp_path / "old.h5"
    source.save(path)
    if renamed:
        with h5py.File(path, "r+") as file:
            group = file["model_weights"]
            names = [str(name) for name in group.attrs["layer_names"]]
            for name in names:
                group.move(name, f"old_{name}")
            group.attrs["layer_names"] = [f"old_{name}" for name in names]
    report = load_weights(target, path)
    assert report.complete and len(report.matched) == 8
    for expected, found in zip(source.weights, target.weights, strict=True):
        np.testing.assert_array_equal(expected.numpy(), found.numpy())


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_partial_load_is_an_error_with_the_report_unless_allowed(small_network, tmp_path, suffix):
    path = tmp_path / f"small{suffix}"
    source = small_network(1)
    save_weights(source, path)
    target = small_network(2, filters=6)
    extra = keras.layers.Dense(3, name="top")(target.output)
    target = keras.Model(target.input, extra)
    before = [weight.numpy() for weight in target.weights]
    with pytest.raises(WeightsFileError) as caught:
        load_weights(target, path)
    for part in (str(path), "1 matched, 2 missing, 0 unexpected, 7 of the wrong shape", "stem", "allow_partial=True"):
        assert part in str(caught.value)
    for old, weight in zip(before, target.weights, strict=True):
        np.testing.assert_array_equal(old, weight.numpy())  # a refused load changes nothing
    report = load_weights(target, path, allow_partial=True)
    assert (len(report.matched), len(report.missing), len(report.wrong_shape)) == (1, 2, 7)
    np.testing.assert_array_equal(target.get_layer("stage").bias.numpy(), source.get_layer("stage").bias.numpy())
    np.testing.assert_array_equal(target.get_layer("stem").kernel.numpy(), before[0])


@pytest.mark.parametrize("suffix", FORMATS)
def test_tensors_the_model_has_no_place_for_are_reported(small_network, tmp_path, suffix):
    source = small_network(1)
    grown = keras.Model(source.input, keras.layers.Dense(3, name="top")(source.output))
    save_weights(grown, tmp_path / f"grown{suffix}")
    with pytest.raises(WeightsFileError, match="8 matched, 0 missing, 2 unexpected, 0 of the wrong shape"):
        load_weights(small_network(2), tmp_path / f"grown{suffix}")


def test_a_file_of_which_nothing_matches_is_an_error_even_if_partial(small_network, tmp_path):
    save_file({"other": np.zeros(2, "float32")}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsFileError, match="0 matched, 8 missing, 1 unexpected"):
        load_weights(small_network(), tmp_path / "other.safetensors", allow_partial=True)


def test_names_do_not_depend_on_what_was_built_before(tmp_path):
    """keras.applications leaves EfficientNet's Normalization layer to Keras to name: "normalization_7" the 8th time."""
    first = load("efficientnetb0", weights=None, input_shape=(64, 64, 3))
    for format_ in (".safetensors", ".weights.h5"):
        save_weights(first, tmp_path / f"first{format_}")
        assert load("efficientnetb0", weights=tmp_path / f"first{format_}").weights_report.complete
    assert "normalization/mean" in load_file(tmp_path / "first.safetensors")


def test_safetensors_hold_one_tensor_a_variable(small_network, tmp_path):
    model = small_network(4)
    save_weights(model, tmp_path / "small.safetensors")
    tensors = load_file(tmp_path / "small.safetensors")
    assert set(tensors) == {"stem/kernel", "stem/bias", "stage/kernel", "stage/bias"} | {
        f"norm/{name}" for name in ("gamma", "beta", "moving_mean", "moving_variance")
    }
    np.testing.assert_array_equal(tensors["stem/kernel"], model.get_layer("stem").kernel.numpy())


@pytest.mark.parametrize("suffix", [*FORMATS, ".h5"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n", "is a Git LFS pointer"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "is a web page"),
        (b"\n<html><body>404</body></html>", "is a web page"),
        (bytes(range(256)) * 8, "(begins with|is no whole)"),
        (b"\x89HDF\r\n\x1a\n", "(begins with|is no whole)"),
        (b"PK\x03\x04", "(begins with|is no whole)"),
    ],
)
def test_files_that_are_no_weights_are_named(small_network, tmp_path, suffix, content, message):
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(content)
    for attempt in (lambda: load_weights(small_network(), path), lambda: load(path)):
        with pytest.raises(WeightsFileError, match=rf"bad\{suffix} {message}"):
            attempt()


def test_a_changed_byte_in_an_archive_is_found(small_network, tmp_path):
    path = tmp_path / "small.keras"
    save_weights(small_network(), path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(WeightsFileError, match=r"small\.keras is (damaged|no whole)"):
        load_weights(small_network(), path)


@pytest.mark.parametrize("bad", ["12", "g" * 64, 7])
def test_a_hash_must_be_one(small_network, tmp_path, bad):
    save_weights(small_network(), tmp_path / "small.safetensors")
    with pytest.raises(ValueError, match="`sha256` must be 64 hexadecimal digits"):
        load_weights(small_network(), tmp_path / "small.safetensors", sha256=bad)


def test_other_endings_are_refused(small_network, tmp_path):
    with pytest.raises(ValueError, match="`path` must be one of"):
        save_weights(small_network(), tmp_path / "small.npz")
    with pytest.raises(ValueError, match="can be read, not written"):
        save_weights(small_network(), tmp_path / "small.h5")


def test_a_failed_save_leaves_the_old_file(small_network, tmp_path, monkeypatch):
    path = tmp_path / "small.safetensors"
    save_weights(small_network(1), path)
    before = path.read_bytes()
    monkeypatch.setattr("unitools.backbones.safetensors_format.save_file", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save_weights(small_network(2), path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_weights_without_a_recipe_ask_for_the_architecture(small_network, tmp_path):
    for suffix in (".weights.h5", ".safetensors"):
        save_weights(small_network(), tmp_path / f"small{suffix}")
        with pytest.raises(WeightsFileError, match='does not say of which architecture.*weights="'):
            load(tmp_path / f"small{suffix}")


def test_a_compiled_and_trained_model_loads_without_its_optimizer(small_network, tmp_path):
    source = small_network(1)
    source.compile("adam", "mse")
    source.fit(np.ones((2, 16, 16, 3)), np.ones((2, 4, 4, 5)), verbose=0)
    for suffix in (".weights.h5", ".keras"):
        save_weights(source, tmp_path / f"trained{suffix}")
        target = small_network(2)
        assert load_weights(target, tmp_path / f"trained{suffix}").complete
        for expected, found in zip(source.weights, target.weights, strict=True):
            np.testing.assert_array_equal(expected.numpy(), found.numpy())


def test_a_keras_file_keeps_pyramid_and_preprocessing(small_network, tmp_path):
    backbone = Backbone(small_network(), keras.layers.Rescaling(2.0), pyramid=((1, "act"), (2, "stage")))
    save_weights(backbone, tmp_path / "own.keras")
    again = keras.saving.load_model(tmp_path / "own.keras")
    assert isinstance(again, Backbone) and again.pyramid == ((1, "act"), (2, "stage"))
    assert again.preprocess.scale == 2.0
    assert load(tmp_path / "own.keras").preprocess.scale == 2.0
