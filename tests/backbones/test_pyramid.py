"""The feature pyramid found from a graph's strides."""

import keras
import pytest

from unitools.backbones import load
from unitools.backbones.pyramid import find_pyramid
from unitools.backbones.resnet_pyramid import resnet_pyramid


def test_the_rule_finds_what_the_table_of_version_1_says():
    """The table is written down by hand; the rule walks the graph."""
    net = keras.applications.ResNet50(weights=None, include_top=False, input_shape=(64, 64, 3))
    assert find_pyramid(net)[1:] == resnet_pyramid("resnet50")


def test_the_rule_finds_what_the_table_of_version_2_says():
    net = keras.applications.ResNet50V2(weights=None, include_top=False)
    assert tuple(pair for pair in find_pyramid(net) if pair[0] > 1) == resnet_pyramid("resnet50v2")


def test_a_branch_is_never_taken():
    inputs = keras.Input((32, 32, 3))
    x = stem = keras.layers.Conv2D(4, 3, 2, padding="same", name="stem")(inputs)
    x = keras.layers.Conv2D(4, 3, padding="same", name="inside")(x)
    x = keras.layers.Add(name="sum")([x, stem])
    side = keras.layers.Conv2D(4, 3, padding="same", name="beside")(x)
    x = keras.layers.Conv2D(4, 3, 2, padding="same", name="down")(side)
    y = keras.layers.MaxPooling2D(1, 2, name="short")(keras.layers.ReLU(name="other")(stem))
    net = keras.Model(inputs, keras.layers.Add(name="end")([x, y]))
    assert find_pyramid(net) == ((1, "stem"), (2, "end"))


@pytest.mark.parametrize("name", ["efficientnetb0", "mobilenet", "mobilenet_v2", "mobilenet_v3_small", "convnext_tiny",
                                  "densenet121", "xception", "vgg16", "inception_v3"])  # fmt: skip
def test_networks_of_keras_applications_have_levels_up_to_5(name):
    outputs = load(name, weights=None, input_shape=(256, 256, 3)).pyramid_outputs
    assert {3, 4, 5} <= set(outputs)
    # Inception and Xception do without padding in places, and lose a few pixels.
    tolerance = 0.5 if name in ("xception", "inception_v3") else 0
    for level, tensor in outputs.items():
        assert 2**level <= 256 / tensor.shape[1] <= 2 ** (level + tolerance)


def test_a_small_input_does_not_shift_the_levels():
    net = load("inception_v3", weights=None, input_shape=(96, 96, 3))
    assert list(net.pyramid_outputs) == [1, 2, 3, 4, 5]


def test_text_models_have_none():
    tokens = keras.Input((7,), dtype="int32")
    assert find_pyramid(keras.Model(tokens, keras.layers.Embedding(5, 3)(tokens))) == ()
