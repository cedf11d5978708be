"""Residual networks by name."""

import keras
import numpy as np
import pytest

from unitools.backbones import resnet
from unitools.backbones.resnet import RESNETS

PIXELS = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype("uint8")
DEEP = {
    "resnet50": (keras.applications.ResNet50, keras.applications.resnet),
    "resnet101": (keras.applications.ResNet101, keras.applications.resnet),
    "resnet152": (keras.applications.ResNet152, keras.applications.resnet),
    "resnet50v2": (keras.applications.ResNet50V2, keras.applications.resnet_v2),
    "resnet101v2": (keras.applications.ResNet101V2, keras.applications.resnet_v2),
    "resnet152v2": (keras.applications.ResNet152V2, keras.applications.resnet_v2),
}


@pytest.mark.parametrize("name", ["resnet50", "resnet50v2", *(pytest.param(n, marks=pytest.mark.slow) for n in DEEP)])
def test_random_weights_give_the_outputs_of_keras_applications(name):
    constructor, module = DEEP[name]
    keras.utils.set_random_seed(11)
    theirs = constructor(weights=None, include_top=False, input_shape=(64, 64, 3))
    keras.utils.set_random_seed(11)
    ours = resnet(name, weights=None, input_shape=(64, 64, 3))
    expected = theirs.predict(module.preprocess_input(PIXELS.astype("float32")), verbose=0)
    np.testing.assert_allclose(ours.predict(ours.preprocess(PIXELS), verbose=0), expected, rtol=1e-4, atol=1e-5)


def test_the_classifier_of_keras_applications_is_on_top():
    keras.utils.set_random_seed(2)
    theirs = keras.applications.ResNet50(weights=None, classes=7, input_shape=(64, 64, 3))
    keras.utils.set_random_seed(2)
    ours = resnet("resnet50", weights=None, include_top=True, num_classes=7, input_shape=(64, 64, 3))
    pixels = ours.preprocess(PIXELS)
    np.testing.assert_allclose(ours.predict(pixels, verbose=0), theirs.predict(pixels, verbose=0), atol=1e-6)


@pytest.mark.parametrize("name", RESNETS)
def test_the_pyramid_has_levels_2_to_5_with_their_strides(name):
    outputs = resnet(name, weights=None, input_shape=(96, 64, 3)).pyramid_outputs
    assert list(outputs) == [2, 3, 4, 5]
    for level, tensor in outputs.items():
        assert tensor.shape[1:3] == (96 // 2**level, 64 // 2**level)
    first = 64 if name.removesuffix("v2") in ("resnet18", "resnet34") else 256
    assert [tensor.shape[-1] for tensor in outputs.values()] == [first, 2 * first, 4 * first, 8 * first]


@pytest.mark.parametrize(
    ("name", "parameters"),
    # torchvision's counts without the dense layer of 513,000; version 2 of the small ones has none published.
    [("resnet18", 11_689_512 - 513_000), ("resnet34", 21_797_672 - 513_000)],
)
def test_the_small_ones_have_the_published_number_of_weights(name, parameters):
    assert sum(int(np.prod(w.shape)) for w in resnet(name, weights=None).trainable_weights) == parameters


@pytest.mark.parametrize("name", ["resnet18", "resnet18v2"])
def test_the_small_ones_take_a_classifier(name):
    backbone = resnet(name, weights=None, include_top=True, num_classes=10, input_shape=(64, 64, 3))
    outputs = backbone.predict(backbone.preprocess(PIXELS), verbose=0)
    assert outputs.shape == (2, 10)
    np.testing.assert_allclose(outputs.sum(-1), 1, atol=1e-5)


def test_pyramid_outputs_can_be_built_on():
    backbone = resnet("resnet18", weights=None)
    model = keras.Model(backbone.input, backbone.pyramid_outputs)
    maps = model(np.zeros((1, 64, 32, 3), "float32"))
    assert {level: tuple(found.shape[1:3]) for level, found in maps.items()} == {
        2: (16, 8),
        3: (8, 4),
        4: (4, 2),
        5: (2, 1),
    }


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="name='resnet20'"):
        resnet("resnet20", weights=None)
    with pytest.raises(ValueError, match="Nobody has published any"):
        resnet("resnet18v2")
