"""Any model as a backbone."""

import keras
import numpy as np
import pytest

from unitools.backbones import Backbone, adopt, load


class Doubling(keras.Model):
    """A subclassed model, without a graph."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.conv = keras.layers.Conv2D(4, 3, 2, padding="same")

    def call(self, inputs):
        return 2 * self.conv(inputs)


PICTURES = np.random.default_rng(0).normal(size=(2, 16, 16, 3)).astype("float32")


def test_a_functional_model_shares_its_layers(small_network):
    net = small_network()
    backbone = adopt(net, preprocess="caffe")
    np.testing.assert_array_equal(backbone(PICTURES), net(PICTURES))
    assert backbone.get_layer("stem") is net.get_layer("stem")
    assert len(backbone.weights) == len(net.weights)
    assert backbone.pyramid == ((1, "act"), (2, "stage"))
    assert backbone.preprocess.channel_order == "bgr"


def test_a_sequential_model():
    net = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Conv2D(4, 3, 2, padding="same", name="stem")])
    backbone = adopt(net)
    np.testing.assert_array_equal(backbone(PICTURES), net(PICTURES))
    assert backbone.preprocess is None and list(backbone.pyramid_outputs) == [1]


def test_a_subclassed_model_needs_an_input_shape():
    net = Doubling()
    with pytest.raises(ValueError, match="`input_shape` must be"):
        adopt(net)
    backbone = adopt(net, input_shape=(16, 16, 3))
    np.testing.assert_array_equal(backbone(PICTURES), net(PICTURES))


def test_several_named_inputs_and_outputs_stay():
    ids, mask = (
        keras.Input((5,), dtype="int32", name="token_ids"),
        keras.Input((5,), dtype="int32", name="padding_mask"),
    )
    x = keras.layers.Embedding(9, 4)(ids)
    outputs = {"sequence_output": x, "pooled_output": keras.layers.Dense(2)(x[:, 0]), "length": mask}
    backbone = adopt(keras.Model({"token_ids": ids, "padding_mask": mask}, outputs))
    found = backbone({"token_ids": np.ones((2, 5), "int32"), "padding_mask": np.ones((2, 5), "int32")})
    assert set(found) == set(outputs) and backbone.pyramid_outputs == {}


def test_a_backbone_is_adopted_once(small_network):
    backbone = adopt(small_network())
    assert adopt(backbone) is backbone
    changed = adopt(backbone, preprocess="tf")
    assert isinstance(changed, Backbone) and changed.preprocess.mean == 127.5


def test_layers_used_elsewhere_do_not_confuse_the_pyramid(small_network):
    net = small_network()
    other = keras.Input((16, 16, 3))
    net.get_layer("stem")(other)
    backbone = adopt(net)
    assert keras.Model(net.input, backbone.pyramid_outputs[1]).output_shape == (None, 8, 8, 4)


@pytest.mark.parametrize(("model", "name"), [("resnet50", "model"), (keras.layers.Dense(2), "model")])
def test_other_things_are_refused(model, name):
    with pytest.raises(ValueError, match=f"`{name}` must be a keras.Model"):
        adopt(model)


def test_unknown_preprocessing_is_refused(small_network):
    with pytest.raises(ValueError, match="preprocess='imagenet'"):
        adopt(small_network(), preprocess="imagenet")
    with pytest.raises(ValueError, match="preprocess='imagenet'"):
        load("resnet50", weights=None, preprocess="imagenet")
