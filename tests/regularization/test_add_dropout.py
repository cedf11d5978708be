"""Dropout in existing models."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.regularization.real_backbones import classifier, compiled, efficientnet, images, minilm, texts
from tests.regularization.statistics import assert_share, normal

add_dropout = ut.regularization.add_dropout
layers = keras.layers


def passing(name):
    """Return a convolution that gives out its input."""
    return layers.Conv2D(3, 1, kernel_initializer=lambda shape, dtype=None: np.eye(3).reshape(shape), name=name)


def net():
    inputs = keras.Input((8, 9, 3))
    return keras.Model(inputs, passing("second")(passing("first")(inputs)), name="net")


def zeros(kind, rate=0.4, examples=400):
    """Return where the outputs of a net that passes ones are 0, and the outputs."""
    model = add_dropout(net(), rate, kind, after="first", seed=1)
    outputs = model(np.ones((examples, 8, 9, 3), "float32"), training=True).numpy()
    return outputs == 0, outputs


def test_dropout_drops_values():
    dropped, outputs = zeros("dropout")
    assert_share(dropped.sum(), dropped.size, 0.4)
    np.testing.assert_allclose(outputs[~dropped], 1 / 0.6, rtol=1e-6)


def test_spatial_drops_channels():
    dropped, _ = zeros("spatial")
    assert (dropped == dropped[:, :1, :1]).all()
    assert_share(dropped[:, 0, 0].sum(), 400 * 3, 0.4)


def test_path_drops_examples():
    dropped, _ = zeros("path")
    assert (dropped == dropped[:, :1, :1, :1]).all()
    assert_share(dropped[:, 0, 0, 0].sum(), 400, 0.4)


def test_block_drops_squares():
    dropped, outputs = zeros("block", 0.2)
    # Squares of 7 in a map of 8 x 9 all cover the middle.
    assert (dropped[:, 3, 4] >= dropped[:, 0, 0]).all() and dropped.any()


def test_gaussian_multiplies_by_noise():
    _, outputs = zeros("gaussian")
    deviation = np.sqrt(0.4 / 0.6)
    assert abs(outputs.mean() - 1) < 5 * deviation / np.sqrt(outputs.size)
    np.testing.assert_allclose(outputs.std(), deviation, rtol=5 / np.sqrt(2 * outputs.size))


def test_alpha_keeps_mean_and_variance():
    inputs = keras.Input((100,))
    model = keras.Model(inputs, layers.Activation("linear", name="here")(inputs))
    outputs = add_dropout(model, 0.3, "alpha", after="here", seed=1)(normal(2000, 100), training=True).numpy()
    size = outputs.size
    assert abs(outputs.mean()) < 5 / np.sqrt(size)
    assert abs(outputs.var() - 1) < 0.02


@pytest.mark.parametrize(("shape", "rank"), [((5, 3), 1), ((5, 6, 3), 2), ((2, 5, 6, 3), 3)])
def test_spatial_is_that_of_the_rank(shape, rank):
    inputs = keras.Input(shape)
    model = keras.Model(inputs, layers.Activation("linear", name="here")(inputs))
    placed = add_dropout(model, 0.3, "spatial", after="here").layers[-1]
    assert type(placed) is getattr(layers, f"SpatialDropout{rank}D")


def test_inference_weights_and_old_model_stay():
    old, x = net(), normal(2, 8, 9, 3)
    new = add_dropout(old, 0.5, after=["first", "second"], seed=5)
    np.testing.assert_array_equal(new(x), old(x))
    np.testing.assert_array_equal(old(x, training=True), old(x))
    assert [id(weight) for weight in new.weights] == [id(weight) for weight in old.weights]
    assert [layer.name for layer in new.layers[1:]] == ["first", "first_dropout", "second", "second_dropout"]
    assert [layer.seed for layer in new.layers if isinstance(layer, layers.Dropout)] == [5, 6]
    assert str(new.placement_report) == "Dropout at 2 places:\n  first: 0.5\n  second: 0.5"


def test_twice_with_other_kinds_but_not_with_one():
    model = add_dropout(add_dropout(net(), 0.5, after="first"), 0.5, "spatial", after="first")
    assert [layer.name for layer in model.layers[2:4]] == ["first_spatial_dropout", "first_dropout"]
    with pytest.raises(ValueError, match=r"without this dropout.*'first'.*'first_dropout' stands there already"):
        add_dropout(model, 0.5, after="first")


def shared_and_nested():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, name="dense"), layers.ReLU(name="relu")], name="inner")
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    merged = layers.Concatenate(name="merge")([inner(left), inner(right)])
    outputs = {"scores": layers.Dense(2, name="scores")(merged), "sum": merged}
    return keras.Model({"left": left, "right": right}, outputs, name="two_towers")


def test_a_nested_model_that_is_called_twice_is_opened_once():
    old = shared_and_nested()
    new = add_dropout(old, 0.5, after="inner/dense", seed=1)
    x = {"left": normal(500, 4), "right": normal(500, 4)}
    for name, value in old(x).items():
        np.testing.assert_array_equal(new(x)[name], value)
    inner = [layer for layer in new.layers if layer.name == "inner"]
    assert len(inner) == 1 and [layer.name for layer in inner[0].layers[-3:]] == ["dense", "dense_dropout", "relu"]
    towers = np.split(new(x, training=True)["sum"].numpy(), 2, axis=1)
    assert (towers[0] != towers[1]).any()  # a mask of its own for each call
    assert new.placement_report.places == ("inner/dense",)


@pytest.mark.parametrize(
    ("after", "places"),
    [
        ("inner", ("inner",)),
        ("dense", ("inner/dense",)),
        ("inner/*", ("inner/dense", "inner/relu")),
        (["scores", "m*ge"], ("merge", "scores")),
    ],
)
def test_patterns(after, places):
    assert add_dropout(shared_and_nested(), 0.5, after=after).placement_report.places == places


def test_a_sequential_model_and_fit_under_xla(tmp_path):
    old = keras.Sequential([keras.Input((6,)), layers.Dense(16, activation="relu", name="hidden"), layers.Dense(1)])
    new = add_dropout(old, 0.3, after="hidden", seed=1)
    new.compile("adam", "mse", jit_compile=True)
    x = normal(64, 6)
    history = new.fit(x, x[:, :1], epochs=10, verbose=0).history["loss"]
    assert history[-1] < history[0]
    np.testing.assert_allclose(new.predict(x, verbose=0), old.predict(x, verbose=0), atol=1e-6)
    new.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(x), new(x))
    assert again.get_layer("hidden_dropout").rate == 0.3
    old.save_weights(tmp_path / "a.weights.h5")
    add_dropout(old, 0.3, after="hidden").load_weights(tmp_path / "a.weights.h5")  # both ways, as nothing learns there
    new.save_weights(tmp_path / "b.weights.h5")
    old.load_weights(tmp_path / "b.weights.h5")


def test_mixed_precision():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(4, dtype="mixed_float16", name="half")(inputs))
    outputs = add_dropout(model, 0.5, after="half")(normal(3, 4), training=True)
    assert outputs.dtype == tf.float16


def test_a_pretrained_backbone(shared_weights, tmp_path):
    backbone = efficientnet(shared_weights)
    new = add_dropout(backbone, 0.1, "block", after="block6?_add", seed=1)
    assert isinstance(new, ut.backbones.Backbone) and new.preprocess is backbone.preprocess
    assert list(new.pyramid_outputs) == list(backbone.pyramid_outputs)
    # The maps of 224 pixels are 7 x 7 there, as large as a square.
    x = np.zeros((2, 224, 224, 3), "float32")
    np.testing.assert_array_equal(new(x), backbone(x))
    assert np.abs(new(x, training=True) - backbone(x, training=True)).max() > 0
    new.save(tmp_path / "model.keras")
    np.testing.assert_allclose(keras.models.load_model(tmp_path / "model.keras")(x), new(x), atol=1e-5)


def test_a_nested_pretrained_backbone_and_its_output(shared_weights):
    model = classifier(efficientnet(shared_weights))
    new = add_dropout(model, 0.2, "spatial", after=["efficientnet_lite0", "block5?_add"], seed=1)
    assert new.placement_report.places[0] == "efficientnet_lite0" and len(new.placement_report.places) == 3
    x = images()
    np.testing.assert_array_equal(new(x), model(x))
    kernel = model.get_layer("head").kernel.numpy()
    compiled(new, jit_compile=False).fit(x, np.array([0, 1]), verbose=0)
    assert (model.get_layer("head").kernel.numpy() != kernel).any()


def test_minilm():
    backbone = minilm()
    new = add_dropout(backbone, 0.2, "spatial", after="block_[56]", seed=1)
    assert isinstance(new, ut.backbones.TextBackbone)
    x = texts()
    np.testing.assert_array_equal(new(x)["pooled_output"], backbone(x)["pooled_output"])
    # The mask goes through: the head's pooling over the tokens sees the padding.
    pooled = keras.Model(new.input, layers.GlobalAveragePooling1D()(new.sequence_output))
    hidden, mask = new(x)["sequence_output"].numpy(), x["padding_mask"][:, :, None]
    np.testing.assert_allclose(pooled(x), (hidden * mask).sum(axis=1) / mask.sum(axis=1), rtol=1e-4, atol=1e-5)


def test_bad_input():
    with pytest.raises(ValueError, match=r"`after` must be a pattern that fits the path of a layer.*'frist'.*'first'"):
        add_dropout(net(), 0.5, after="frist")
    with pytest.raises(ValueError, match="`after` must be the name of a layer"):
        add_dropout(net(), 0.5, after=[])
    with pytest.raises(ValueError, match="`kind` must be one of"):
        add_dropout(net(), 0.5, "dropconnect", after="first")
    with pytest.raises(ValueError, match=r"`rate` must be a number in \[0, 1\)"):
        add_dropout(net(), -0.1, after="first")
    with pytest.raises(ValueError, match="`seed` must be"):
        add_dropout(net(), 0.1, after="first", seed=0.5)
    for kind in ("spatial", "block"):
        with pytest.raises(ValueError, match=r"`kind` must be one for outputs of shape \(None, 2\), those of 'scores'"):
            add_dropout(shared_and_nested(), 0.5, kind, after="scores")
    inputs = keras.Input((4,), dtype="int32")
    whole = keras.Model(inputs, layers.Embedding(5, 2)(layers.Identity(name="ids")(inputs)))
    with pytest.raises(ValueError, match=r"one output of floats.*int32"):
        add_dropout(whole, 0.5, after="ids")
    with pytest.raises(TypeError, match="`model` must be a Keras model"):
        add_dropout("model", 0.5, after="first")


def test_a_subclassed_model_has_no_graph():
    class Own(keras.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(ValueError, match=r"functional, or sequential and built.*wrap the layers where it makes them"):
        add_dropout(Own(), 0.5, after="first")
