"""Other channel counts and input sizes."""

import keras
import numpy as np
import pytest

from unitools.backbones import load, load_weights, preprocess_for, resnet, save_weights
from unitools.backbones.finish import for_channels
from unitools.backbones.stem import adapt_kernel, channel_map, with_input_shape


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6, 13])
def test_a_grey_picture_gets_the_response_it_had(channels):
    kernel = np.random.default_rng(0).normal(size=(3, 3, 3, 8)).astype("float32")
    grey = np.random.default_rng(1).normal(size=(2, 9, 9, 1)).astype("float32")
    expected = keras.ops.conv(grey.repeat(3, -1), kernel)
    found = keras.ops.conv(grey.repeat(channels, -1), adapt_kernel(kernel, channels))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_rule_in_closed_form():
    r, g, b = np.eye(3)
    np.testing.assert_array_equal(channel_map(3, 1), [r + g + b])
    np.testing.assert_array_equal(channel_map(3, 2), [r + b, g])
    np.testing.assert_array_equal(channel_map(3, 3), np.eye(3))
    np.testing.assert_array_equal(channel_map(3, 5), [r / 2, g / 2, b, r / 2, g / 2])


@pytest.mark.parametrize("mode", ["caffe", "torch", "tf"])
@pytest.mark.parametrize("channels", [4, 6])
def test_preprocessing_and_stem_together_keep_the_response_to_grey_pixels(mode, channels):
    """With 3 channels or more each channel keeps the constants of the one it stands for, in BGR networks too."""
    inputs = keras.Input((9, 9, 3))
    net = keras.Model(inputs, keras.layers.Conv2D(8, 3, name="stem")(inputs))
    before, bgr = preprocess_for(mode), mode == "caffe"
    after = for_channels(before, channels)
    wide = with_input_shape(net, (9, 9, channels), bgr=bgr)
    grey = np.random.default_rng(1).integers(0, 256, (2, 9, 9, 1)).astype("uint8")
    np.testing.assert_allclose(
        wide(after(grey.repeat(channels, -1))), net(before(grey.repeat(3, -1))), atol=2e-4, rtol=1e-4
    )


def test_one_channel_of_a_symmetric_convention_is_exact_too():
    inputs = keras.Input((9, 9, 3))
    net = keras.Model(inputs, keras.layers.Conv2D(8, 3, name="stem")(inputs))
    grey = np.random.default_rng(1).integers(0, 256, (2, 9, 9, 1)).astype("uint8")
    layer = preprocess_for("tf")
    found = with_input_shape(net, (9, 9, 1))(for_channels(layer, 1)(grey))
    np.testing.assert_allclose(found, net(layer(grey.repeat(3, -1))), atol=1e-5)


def test_bgr_networks_are_turned_round():
    """Channel 0 of a wider input stands for red, which a BGR network keeps in its kernel's channel 2."""
    net = load("vgg16", weights=None, input_shape=(32, 32, 3))
    wide = with_input_shape(net, (32, 32, 4), bgr=True)
    old, new = net.layers[1].kernel.numpy(), wide.layers[1].kernel.numpy()
    np.testing.assert_allclose(new[:, :, 0], old[:, :, 2] / 2)
    np.testing.assert_allclose(new[:, :, 1], old[:, :, 1])
    np.testing.assert_allclose(new[:, :, 2], old[:, :, 0])


@pytest.mark.parametrize("suffix", [".safetensors", ".weights.h5", ".keras"])
def test_weights_of_three_channels_load_into_one(tmp_path, suffix):
    colour = resnet("resnet18", weights=None, input_shape=(64, 64, 3))
    path = tmp_path / f"colour{suffix}"
    save_weights(colour, path)
    grey = resnet("resnet18", weights=path, input_shape=(32, 32, 1))
    kernel = colour.get_layer("conv1_conv").kernel.numpy()
    np.testing.assert_allclose(grey.get_layer("conv1_conv").kernel.numpy(), kernel.sum(2, keepdims=True), atol=1e-7)
    for name in ("stack0_block0_1_conv", "stack3_block1_2_conv"):
        np.testing.assert_array_equal(grey.get_layer(name).kernel.numpy(), colour.get_layer(name).kernel.numpy())
    assert grey.preprocess(np.zeros((1, 32, 32, 1), "uint8")).shape == (1, 32, 32, 1)
    assert grey.pyramid_outputs[5].shape == (None, 1, 1, 512)


def test_weights_of_one_channel_load_as_they_are(tmp_path):
    grey = resnet("resnet18", weights=None, input_shape=(64, 64, 1))
    save_weights(grey, tmp_path / "grey.safetensors")
    again = load(tmp_path / "grey.safetensors")
    assert again.input_shape == (None, 64, 64, 1)
    pixels = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 1)).astype("uint8")
    np.testing.assert_array_equal(again(again.preprocess(pixels)), grey(grey.preprocess(pixels)))


def test_scaling_layers_inside_a_network_follow():
    """EfficientNet begins with Rescaling and Normalization layers of its own."""
    net = keras.applications.EfficientNetB0(weights=None, include_top=False, input_shape=(64, 64, 3))
    name = next(layer.name for layer in net.layers if isinstance(layer, keras.layers.Normalization))
    mean = net.get_layer(name).weights[0]
    mean.assign([0.4, 0.5, 0.6])
    grey = with_input_shape(net, (64, 64, 1))
    np.testing.assert_allclose(grey.get_layer(name).weights[0].numpy(), [0.5], rtol=1e-6)
    assert grey(np.zeros((1, 64, 64, 1), "float32")).shape == (1, 2, 2, 1280)


def test_another_size_keeps_the_weights(small_network):
    net = small_network()
    larger = with_input_shape(net, (24, 40, 3))
    pictures = np.random.default_rng(0).normal(size=(1, 16, 16, 3)).astype("float32")
    np.testing.assert_array_equal(with_input_shape(net, (None, None, 3))(pictures), net(pictures))
    assert larger.output_shape == (None, 6, 10, 5)
    larger.get_layer("stem").kernel.assign(larger.get_layer("stem").kernel * 0)
    assert np.any(net.get_layer("stem").kernel.numpy())  # the copy's weights are its own


def test_a_size_that_a_dense_layer_cannot_take_is_an_error():
    inputs = keras.Input((8, 8, 3))
    net = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(inputs)), name="flat")
    with pytest.raises(ValueError, match=r"`input_shape` must be a size and channel count that flat can take"):
        with_input_shape(net, (16, 16, 3))


@pytest.mark.parametrize("shape", [(64, 64), (64, 64, 0), (64, "64", 3), "64x64", (0, 64, 3), 64])
def test_bad_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="`input_shape` must be"):
        load("resnet50", weights=None, input_shape=shape)


def test_other_channels_make_a_wrong_file_no_less_wrong(tmp_path, small_network):
    save_weights(small_network(), tmp_path / "small.safetensors")
    with pytest.raises(ValueError, match="0 matched"):
        load("mobilenet", weights=tmp_path / "small.safetensors", input_shape=(32, 32, 1))
    with pytest.raises(ValueError, match="stem/kernel"):
        load_weights(small_network(channels=1), tmp_path / "small.safetensors")
