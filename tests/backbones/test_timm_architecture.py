"""The EfficientNet-Lite0 folder: real weights, real pictures, and an independent recomputation."""

import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import load_file, save_file

from unitools.backbones import WeightsFileError, load
from unitools.backbones.file_checks import file_sha256
from unitools.backbones.timm_architecture import epsilon_for

DAISY = 985  # in ImageNet's order of classes


@pytest.fixture(scope="module")
def folder(shared_weights):
    return shared_weights("efficientnet_lite0_imagenet")


@pytest.fixture(scope="module")
def classifier(folder):
    return load(folder, include_top=True, input_shape=(224, 224, 3))


@pytest.fixture
def own_copy(folder, tmp_path):
    """The folder as a copy that a test may damage."""
    for name in ("config.json", "model.safetensors"):
        shutil.copyfile(folder / name, tmp_path / name)
    return tmp_path


def _pictures(paths):
    decoded = [tf.io.decode_jpeg(tf.io.read_file(str(path)), channels=3) for path in paths]
    return np.stack([tf.image.resize(image, (224, 224), antialias=True).numpy() for image in decoded])


def test_every_tensor_is_matched(classifier, folder):
    report = classifier.weights_report
    assert report.complete and not report.skipped
    assert set(report.matched) == set(load_file(folder / "model.safetensors"))
    assert len(report.matched) == len(classifier.weights)


def test_without_the_classifier_only_its_tensors_are_left_out(folder):
    report = load(folder).weights_report
    assert report.complete
    assert sorted(report.skipped) == ["classifier.bias", "classifier.weight"]


def test_batch_norm_epsilon_and_preprocessing_are_those_of_the_weights(classifier):
    def norms(layer):
        inner = [child for child in getattr(layer, "_layers", []) if child is not layer]
        return [layer] if isinstance(layer, keras.layers.BatchNormalization) else sum(map(norms, inner), [])

    found = sum(map(norms, classifier.layers), [])
    assert len(found) == 49  # one for each running_mean of the file
    assert {layer.epsilon for layer in found} == {1e-3}
    pixels = np.arange(256, dtype="uint8").repeat(3).reshape(1, 16, 16, 3)
    np.testing.assert_array_equal(classifier.preprocess(pixels), (pixels.astype("float32") - 127) / 128)


def test_real_daisies_are_daisies(classifier, shared_data):
    paths = sorted((shared_data("flower_photos") / "train" / "daisy").glob("*.jpg"))[:32]
    scores = classifier.predict(classifier.preprocess(_pictures(paths)), verbose=0)
    top = scores.argmax(-1) == DAISY
    assert top.mean() >= 0.7  # 0.84 measured on 50; a net that got 0-255 finds none
    np.testing.assert_allclose(scores.sum(-1), 1, atol=1e-4)


def test_outputs_equal_a_plain_tensorflow_recomputation(classifier, folder, shared_data):
    """timm's definition of EfficientNet-Lite0, written down from the tensors of the file alone."""
    paths = sorted((shared_data("flower_photos") / "val" / "tulips").glob("*.jpg"))[:2]
    pixels = (_pictures(paths) - 127) / 128
    expected = _efficientnet_lite0(load_file(folder / "model.safetensors"), pixels)
    np.testing.assert_allclose(classifier.predict(pixels, verbose=0), expected, atol=2e-4)


def _efficientnet_lite0(tensors, x):
    def conv(x, name, stride=1, depthwise=False):
        kernel = tensors[f"{name}.weight"].transpose(2, 3, 1, 0)
        pad = (kernel.shape[0] - 1) // 2
        x = tf.pad(x, [[0, 0], [pad, pad], [pad, pad], [0, 0]])
        if depthwise:
            return tf.nn.depthwise_conv2d(x, kernel.transpose(0, 1, 3, 2), [1, stride, stride, 1], "VALID")
        return tf.nn.conv2d(x, kernel, stride, "VALID")

    def norm(x, name):
        scale = tensors[f"{name}.weight"] / np.sqrt(tensors[f"{name}.running_var"] + 1e-3)
        return (x - tensors[f"{name}.running_mean"]) * scale + tensors[f"{name}.bias"]

    x = tf.nn.relu6(norm(conv(tf.constant(x), "conv_stem", 2), "bn1"))
    for stage, (blocks, stride) in enumerate([(1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1)]):
        for block in range(blocks):
            at, first = f"blocks.{stage}.{block}", x
            step = stride if block == 0 else 1
            if stage == 0:
                x = tf.nn.relu6(norm(conv(x, f"{at}.conv_dw", step, depthwise=True), f"{at}.bn1"))
                x = norm(conv(x, f"{at}.conv_pw"), f"{at}.bn2")
            else:
                x = tf.nn.relu6(norm(conv(x, f"{at}.conv_pw"), f"{at}.bn1"))
                x = tf.nn.relu6(norm(conv(x, f"{at}.conv_dw", step, depthwise=True), f"{at}.bn2"))
                x = norm(conv(x, f"{at}.conv_pwl"), f"{at}.bn3")
            x = x + first if x.shape == first.shape and block > 0 else x
    x = tf.nn.relu6(norm(conv(x, "conv_head"), "bn2"))
    pooled = tf.reduce_mean(x, (1, 2))
    return tf.nn.softmax(pooled @ tensors["classifier.weight"].T + tensors["classifier.bias"]).numpy()


def test_a_folder_opens_no_connection(folder, no_network):
    load(folder)
    assert no_network == []


def test_pyramid_levels_have_their_strides(folder):
    backbone = load(folder, input_shape=(160, 96, 3))
    outputs = backbone.pyramid_outputs
    assert sorted(outputs) == [1, 2, 3, 4, 5]
    for level, tensor in outputs.items():
        assert tensor.shape[1:3] == (160 // 2**level, 96 // 2**level)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"architecture": "efficientnet_lite0", "pretrained_cfg": {"mean": [0.498] * 3, "std": [0.502] * 3}}, 1e-3),
        ({"architecture": "efficientnet_lite0", "pretrained_cfg": {"mean": [0.485, 0.456, 0.406], "std": [0.229] * 3}},
         None),
        ({"architecture": "efficientnet_b0", "pretrained_cfg": {}}, None),
        ({"architecture": "efficientnet_b0", "model_args": {"bn_eps": 0.002}}, 0.002),
        ({"architecture": "resnet50", "pretrained_cfg": {"mean": [0.498] * 3, "std": [0.502] * 3}}, None),
    ],
)  # fmt: skip
def test_epsilon_is_read_from_the_config(config, expected):
    assert epsilon_for(config) == expected


def test_epsilon_can_be_given(folder):
    backbone = load(folder, weights=None, batch_norm_epsilon=0.01)
    assert backbone.get_layer("stem_bn").epsilon == 0.01


def test_hashes_are_checked(own_copy):
    digest = file_sha256(own_copy / "model.safetensors")
    assert load(own_copy, sha256=digest).weights_report.complete
    hashes = {"config.json": file_sha256(own_copy / "config.json"), "model.safetensors": digest}
    load(own_copy, sha256=hashes)
    (own_copy / "config.json").write_text((own_copy / "config.json").read_text() + "\n")
    with pytest.raises(WeightsFileError, match=r"config\.json has the SHA-256"):
        load(own_copy, sha256=hashes)
    with pytest.raises(WeightsFileError, match=r"model\.safetensors has the SHA-256"):
        load(own_copy, sha256="0" * 64)
    with pytest.raises(WeightsFileError, match=r"No file other\.json in"):
        load(own_copy, sha256={"other.json": digest})


def test_missing_unexpected_and_misshapen_tensors_are_reported(own_copy):
    path = own_copy / "model.safetensors"
    tensors = load_file(path)
    del tensors["bn1.weight"]
    tensors["extra.weight"] = np.zeros(3, "float32")
    tensors["conv_head.weight"] = np.zeros((1280, 7, 1, 1), "float32")
    save_file(tensors, path)
    with pytest.raises(WeightsFileError, match="1 missing, 1 unexpected, 1 of the wrong shape") as caught:
        load(own_copy)
    for part in ("missing: bn1.weight", "unexpected: extra.weight", "conv_head.weight (model", str(path)):
        assert part in str(caught.value)
    report = load(own_copy, allow_partial=True).weights_report
    assert report.missing == ("bn1.weight",) and report.unexpected == ("extra.weight",)
    assert report.wrong_shape == (("conv_head.weight", (1, 1, 320, 1280), (1, 1, 7, 1280)),)


def test_damaged_folders_are_named_errors(own_copy):
    path = own_copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(WeightsFileError, match="model.safetensors is no whole safetensors file"):
        load(own_copy)
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    with pytest.raises(WeightsFileError, match="model.safetensors is a Git LFS pointer"):
        load(own_copy)
    (own_copy / "config.json").write_text("{ not json")
    path.unlink()
    with pytest.raises(WeightsFileError, match="config.json is no JSON"):
        load(own_copy)


def test_an_unknown_architecture_is_named(own_copy):
    config = json.loads((own_copy / "config.json").read_text())
    (own_copy / "config.json").write_text(json.dumps(config | {"architecture": "swin_tiny"}))
    with pytest.raises(ValueError, match="architecture='swin_tiny'"):
        load(own_copy)
