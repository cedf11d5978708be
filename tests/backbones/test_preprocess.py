"""Preprocess against keras.applications' own functions."""

import importlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from unitools.backbones import Preprocess, preprocess_for
from unitools.backbones.applications import MODES, application_names, application_preprocess
from unitools.backbones.named_architecture import architecture_name

PIXELS = np.random.default_rng(3).integers(0, 256, (2, 5, 7, 3)).astype("uint8")


@pytest.mark.parametrize("module", sorted(MODES))
@pytest.mark.parametrize("dtype", ["uint8", "float32", "int32"])
def test_each_mode_equals_the_preprocess_input_of_its_module(module, dtype):
    expected = importlib.import_module(f"keras.applications.{module}").preprocess_input(PIXELS.astype("float32"))
    ours = preprocess_for(MODES[module])(PIXELS.astype(dtype))
    np.testing.assert_allclose(ours, expected, rtol=0, atol=2e-5)


def test_every_network_of_keras_applications_has_a_mode():
    names = application_names()
    assert len(names) >= 38
    assert all(isinstance(application_preprocess(name), Preprocess) for name in names)


@pytest.mark.parametrize(
    ("name", "module"),
    [("ResNet50", "resnet"), ("resnet_152_v2", "resnet_v2"), ("EfficientNetB3", "efficientnet"),
     ("efficientnet-v2-s", "efficientnet_v2"), ("VGG19", "vgg19"), ("MobileNetV3Small", "mobilenet_v3"),
     ("DenseNet121", "densenet"), ("NASNetMobile", "nasnet"), ("ConvNeXtTiny", "convnext")],
)  # fmt: skip
def test_a_name_implies_the_preprocessing_of_its_module(name, module):
    expected = importlib.import_module(f"keras.applications.{module}").preprocess_input(PIXELS.astype("float32"))
    layer = application_preprocess(architecture_name(name))
    np.testing.assert_allclose(layer(PIXELS), expected, rtol=0, atol=2e-5)


def test_tf_lite_mode_is_minus_127_over_128():
    np.testing.assert_array_equal(preprocess_for("tf_lite")(PIXELS), (PIXELS.astype("float32") - 127) / 128)


def test_it_is_xla_compilable_and_leaves_its_input_alone():
    layer = preprocess_for("caffe")
    pixels = PIXELS.copy()
    compiled = tf.function(layer, jit_compile=True)(tf.constant(pixels))
    np.testing.assert_allclose(
        compiled, keras.applications.resnet.preprocess_input(PIXELS.astype("float32")), atol=2e-5
    )
    np.testing.assert_array_equal(pixels, PIXELS)


def test_mixed_precision_subtracts_before_it_rounds():
    """Pixel 124 minus 123.68: float16 knows 123.68 as 123.6875, and 124 - 123.6875 is 2 % off."""
    layer = Preprocess(mean=123.68, std=1.0, dtype="mixed_float16")
    out = layer(np.full((1, 1, 1, 3), 124.0, "float32"))
    assert out.dtype == tf.float16
    np.testing.assert_allclose(np.asarray(out, "float32"), 0.32, rtol=1e-3)


def test_a_mean_for_another_channel_count_is_an_error():
    with pytest.raises(ValueError, match="`mean` must be .* 4, one for each channel"):
        preprocess_for("caffe")(np.zeros((1, 2, 2, 4), "float32"))


@pytest.mark.parametrize("value", [0, -1.0, (1.0, 0.0, 1.0), "1", (), None])
def test_std_must_be_positive(value):
    with pytest.raises(ValueError, match="`std` must be"):
        Preprocess(std=value)
