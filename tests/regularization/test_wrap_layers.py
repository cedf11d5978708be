"""Wrappers around layers of existing models."""

import keras
import numpy as np
import pytest

import unitools as ut
from tests.regularization.real_backbones import classifier, compiled, efficientnet, images, minilm, texts
from tests.regularization.statistics import normal

wrap_layers, Mixout = ut.regularization.wrap_layers, ut.regularization.Mixout
layers = keras.layers


def mixed(layer):
    return Mixout(layer, 0.5, seed=1)


def net():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, name="a"), layers.Dense(4, name="b")], name="inner")
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(2, name="head")(inner(inner(inputs))), name="net")


@pytest.mark.parametrize(
    ("chosen", "places"),
    [
        ("head", ("head",)),
        ("inner/?", ("inner/a", "inner/b")),
        (layers.Dense, ("inner/a", "inner/b", "head")),
        (["a", layers.InputLayer], None),
        ([layers.Dense, "head"], ("inner/a", "inner/b", "head")),
    ],
)
def test_names_patterns_and_classes(chosen, places):
    if places is None:
        with pytest.raises(ValueError, match=r"`layers` must be a class that layers.*'InputLayer'.*It has Dense"):
            wrap_layers(net(), mixed, chosen)
    else:
        assert wrap_layers(net(), mixed, chosen).placement_report.places == places


def test_layers_weights_and_outputs_are_shared():
    old, x = net(), normal(3, 4)
    new = wrap_layers(old, mixed, "b")
    np.testing.assert_array_equal(new(x), old(x))
    wrapped = new.get_layer("inner").get_layer("b")
    assert isinstance(wrapped, Mixout) and wrapped.layer is old.get_layer("inner").get_layer("b")
    assert {id(weight) for weight in new.trainable_weights} == {id(weight) for weight in old.trainable_weights}
    assert not new.compiled
    assert str(new.placement_report) == "Mixout at 1 place:\n  inner/b"


def test_different_wrappers_go_around_each_other_and_one_does_not_twice():
    spectral = ut.regularization.SpectralNormalization
    model = wrap_layers(wrap_layers(net(), spectral, "head"), mixed, "head")
    x = normal(3, 4)
    head = model.get_layer("head")
    kernel = head.layer.layer.kernel.numpy()
    hidden = model.get_layer("inner")(model.get_layer("inner")(x)).numpy()
    np.testing.assert_allclose(model(x), hidden @ kernel / np.linalg.svd(kernel)[1][0], rtol=1e-3, atol=1e-5)
    with pytest.raises(ValueError, match=r"`layer` must be one without Mixout.*'head'.*wrap it once"):
        wrap_layers(model, mixed, "head")


def test_fit_under_xla_and_files(tmp_path):
    model = wrap_layers(net(), mixed, layers.Dense)
    model.compile(keras.optimizers.SGD(0.05), "mse", jit_compile=True)
    x = normal(32, 4)
    model.fit(x, x[:, :2], epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(x), model(x))
    model.save_weights(tmp_path / "a.weights.h5")
    anew = wrap_layers(net(), mixed, layers.Dense)
    anew.load_weights(tmp_path / "a.weights.h5")
    np.testing.assert_array_equal(anew(x), model(x))


def test_masks_go_through():
    inputs = keras.Input((None,), dtype="int32")
    x = layers.Embedding(9, 4, mask_zero=True)(inputs)
    model = keras.Model(inputs, layers.GlobalAveragePooling1D()(layers.GRU(3, return_sequences=True, name="gru")(x)))
    new = wrap_layers(model, mixed, "gru")
    ids = np.array([[1, 2, 0, 0], [3, 4, 5, 6]])
    np.testing.assert_allclose(new(ids), model(ids), atol=1e-6)


def test_convolutions_of_a_pretrained_backbone(shared_weights):
    backbone = efficientnet(shared_weights)
    model = classifier(backbone)
    new = wrap_layers(model, mixed, [layers.Conv2D, "head"])
    convolutions = [layer for layer in backbone.layers if isinstance(layer, layers.Conv2D)]
    assert len(new.placement_report.places) == len(convolutions) + 1
    x = images()
    np.testing.assert_array_equal(new(x), model(x))
    compiled(new, jit_compile=False).fit(x, np.array([0, 1]), verbose=0)
    np.testing.assert_allclose(new(x), model(x), atol=1e-5)
    assert np.abs(new(x, training=True) - new(x, training=True)).max() > 0


def test_blocks_of_minilm(tmp_path):
    backbone = minilm()
    new = wrap_layers(backbone, mixed, ut.backbones.EncoderBlock)
    assert len(new.placement_report.places) == 6
    assert all(len(new.get_layer(name).kernels()) == 4 for name in new.placement_report.places)
    x = texts()
    np.testing.assert_array_equal(new(x)["pooled_output"], backbone(x)["pooled_output"])
    new.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(x)["pooled_output"], new(x)["pooled_output"], atol=1e-5)


def test_bad_input():
    with pytest.raises(ValueError, match=r"`layers` must be a pattern that fits the path of a layer.*'haed'.*'head'"):
        wrap_layers(net(), mixed, "haed")
    with pytest.raises(ValueError, match="`layers` must be a pattern that fits"):
        wrap_layers(net(), mixed, "inner")  # a nested model is opened, not wrapped
    with pytest.raises(ValueError, match="`layers` must be names, patterns or classes"):
        wrap_layers(net(), mixed, [])
    with pytest.raises(TypeError, match=r"`wrapper` must return a Keras layer\. Received int"):
        wrap_layers(net(), lambda layer: 3, "head")
    inputs = keras.Input((5, 8))
    attention = keras.Model(inputs, layers.MultiHeadAttention(2, 4, name="attention")(inputs, inputs))
    with pytest.raises(ValueError, match=r"called with inputs and mask only.*'attention'.*wrap the layers inside it"):
        wrap_layers(attention, mixed, "attention")
