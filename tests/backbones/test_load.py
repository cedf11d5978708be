"""The front door: what is a name, what is a path, and what happens without a network."""

import os
from pathlib import Path

import keras
import numpy as np
import pytest

from unitools.backbones import DownloadError, WeightsFileError, load, resnet
from unitools.backbones.hub import keras_hub


@pytest.fixture(scope="module")
def hub_folder(tmp_path_factory):
    """A folder as keras-hub writes it, of a small ResNet with its image converter."""
    hub = keras_hub()
    folder = tmp_path_factory.mktemp("hub")
    keras.utils.set_random_seed(0)
    backbone = hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64, 64],
        stackwise_num_blocks=[1, 1],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
    )
    backbone.save_to_preset(str(folder))
    converter = hub.layers.ResNetImageConverter(scale=[0.02, 0.03, 0.04], offset=[-1.0, -2.0, 0.5])
    converter.save_to_preset(str(folder))
    return folder, backbone


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    """Point the download caches of Keras and keras-hub to an empty folder."""
    for name in ("KERAS_HOME", "KAGGLEHUB_CACHE", "HF_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setattr(keras.src.utils.file_utils.config, "keras_home", lambda: str(tmp_path / "KERAS_HOME"))
    (tmp_path / "KERAS_HOME").mkdir()
    return tmp_path


def _files(folder):
    return [path for path in Path(folder).rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_a_keras_hub_folder_loads_with_its_preprocessing(hub_folder, no_network):
    folder, theirs = hub_folder
    backbone = load(folder)
    pixels = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3)).astype("uint8")
    scaled = pixels * np.array([0.02, 0.03, 0.04]) + np.array([-1.0, -2.0, 0.5])
    np.testing.assert_allclose(backbone.preprocess(pixels), scaled, atol=1e-5)
    np.testing.assert_allclose(backbone(backbone.preprocess(pixels)), theirs(scaled.astype("float32")), atol=1e-4)
    assert list(backbone.pyramid_outputs) == [2, 3]
    assert no_network == []


def test_a_keras_hub_folder_takes_another_channel_count(hub_folder):
    backbone = load(hub_folder[0], input_shape=(32, 32, 1))
    assert backbone.pyramid_outputs[2].shape[1:3] == (8, 8)
    assert backbone.preprocess.mean == pytest.approx(((1 / 0.02 + 2 / 0.03 - 0.5 / 0.04) / 3,))


def test_damaged_keras_hub_folders_are_named(hub_folder, tmp_path):
    for path in hub_folder[0].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = tmp_path / "model.weights.h5"
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(WeightsFileError, match=str(tmp_path)):
        load(tmp_path)
    weights.write_bytes(b"")
    with pytest.raises(WeightsFileError, match=r"model\.weights\.h5 is empty"):
        load(tmp_path)


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(WeightsFileError, match=r"No file at .*config\.json"):
        load(tmp_path)


@pytest.mark.parametrize("call", [lambda: load("resnet50"), lambda: resnet("resnet50v2"), lambda: load("vgg16")])
def test_imagenet_weights_offline_name_the_file_and_the_way_without(call, no_network, empty_cache):
    with pytest.raises(DownloadError, match=r'Expected the file \w+\.h5 from https://.*weights="path/to/file"'):
        call()
    assert no_network
    assert _files(empty_cache) == []


@pytest.mark.parametrize("name", ["resnet_18_imagenet", "kaggle://keras/a/keras/b",
                                  # huggingface_hub tries for 23 s
                                  pytest.param("hf://timm/resnet18.a1_in1k", marks=pytest.mark.slow)])  # fmt: skip
def test_a_preset_offline_says_how_to_give_a_folder(name, no_network, empty_cache):
    with pytest.raises(DownloadError, match="(?s)preset .* needs a download.*config.json"):
        load(name)
    assert _files(empty_cache) == []


def test_resnet18_offline(no_network, empty_cache):
    with pytest.raises(DownloadError, match="resnet_18_imagenet"):
        resnet("resnet18")


@pytest.mark.parametrize("path", ["no/such/folder", "model.keras", Path("model"), "./resnet50", "a.weights.h5"])
def test_missing_paths_are_paths(path, no_network, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WeightsFileError, match="No file or folder at"):
        load(path)
    assert no_network == []


def test_a_missing_weights_path_is_named_and_opens_no_connection(no_network, tmp_path):
    with pytest.raises(WeightsFileError, match="No file at .*gone.h5"):
        load("mobilenet", weights=tmp_path / "gone.h5")
    assert no_network == []


def test_a_folder_of_a_networks_name_is_still_the_network(tmp_path, monkeypatch, no_network):
    monkeypatch.chdir(tmp_path)
    os.mkdir("mobilenet")
    assert load("mobilenet", weights=None).name.startswith("mobilenet")
    with pytest.raises(WeightsFileError, match=r"No file at mobilenet/config\.json"):
        load("./mobilenet")


@pytest.mark.parametrize("name", ["MobileNetV2", "mobilenet_v2", "mobilenet-v2", "mobilenetv2"])
def test_names_in_any_spelling(name):
    assert load(name, weights=None, input_shape=(64, 64, 3)).output_shape == (None, 2, 2, 1280)


def test_unknown_names_get_near_ones():
    with pytest.raises(ValueError, match="source='resnet5'.*Near names: .*resnet50"):
        load("resnet5", weights=None)


@pytest.mark.parametrize("source", ["", None, 5, ["resnet50"]])
def test_other_things_are_no_source(source):
    with pytest.raises(ValueError, match="`source` must be"):
        load(source)


def test_a_hash_without_a_file_is_refused():
    with pytest.raises(ValueError, match="To check a file yourself, give its path"):
        load("resnet50", sha256="0" * 64)


def test_an_own_preprocessing_takes_precedence():
    backbone = load("mobilenet", weights=None, preprocess="torch")
    assert backbone.preprocess.std == pytest.approx((58.395, 57.12, 57.375))
