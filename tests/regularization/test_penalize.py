"""Penalties on weights of existing models."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.regularization.real_backbones import classifier, compiled, efficientnet, images, minilm
from tests.regularization.statistics import normal

penalize = ut.regularization.penalize
layers = keras.layers


def net():
    keras.utils.set_random_seed(1)
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(5, name="dense"), layers.BatchNormalization()], name="in")
    inputs = keras.Input((4,))
    x = layers.Dense(4, name="dense")(inputs)
    return keras.Model(inputs, layers.Dense(2, name="head")(inner(x)), name="net")


def total(model):
    return float(sum(model.losses))


def arrays(model, *paths):
    """Return the weights at these places, which the test knows."""
    known = {
        "dense/kernel": model.get_layer("dense").kernel,
        "in/dense/kernel": model.get_layer("in").get_layer("dense").kernel,
        "head/kernel": model.get_layer("head").kernel,
        "head/bias": model.get_layer("head").bias,
    }
    return [known[path].numpy().astype("float64") for path in paths]


KERNELS = ("dense/kernel", "in/dense/kernel", "head/kernel")


@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0), (0, 0.2), (0.3, 0.2)])
def test_the_loss_gets_the_sums_over_kernels(l1, l2):
    model = net()
    report = penalize(model, l1=l1, l2=l2)
    found = arrays(model, *KERNELS)
    expected = sum(l1 * np.abs(w).sum() + l2 * (w**2).sum() for w in found)
    np.testing.assert_allclose(total(model), expected, rtol=1e-5)
    assert report.penalized == KERNELS
    assert report.parameters == sum(w.size for w in found)
    assert set(report.spared) == {"dense/bias", "head/bias", "in/dense/bias", *(
        f"in/{model.get_layer('in').layers[-1].name}/{name}" for name in ("gamma", "beta"))}  # fmt: skip
    assert str(report) == f"3 weights penalized ({report.parameters} parameters), 5 spared."


def test_fit_descends_it_under_xla_as_without():
    def weights(jit):
        model = net()
        penalize(model, l1=0.01, l2=0.1, include="head")
        model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=jit)
        x, y = normal(8, 4), normal(8, 2, seed=1)
        kernel, bias = model.get_layer("head").kernel.numpy(), model.get_layer("head").bias.numpy()
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x, training=True) - y) ** 2)
        slope = tape.gradient(loss, [model.get_layer("head").kernel.value, model.get_layer("head").bias.value])
        for moving in model.non_trainable_weights[-2:]:
            moving.assign(tf.zeros_like(moving) if "mean" in moving.name else tf.ones_like(moving))
        history = model.fit(x, y, batch_size=8, verbose=0).history["loss"]
        added = 0.01 * np.abs(kernel) + 0.1 * kernel**2
        np.testing.assert_allclose(history[0], float(loss) + added.sum(), rtol=1e-4)
        gradient = slope[0] + 0.01 * np.sign(kernel) + 0.2 * kernel
        np.testing.assert_allclose(model.get_layer("head").kernel, kernel - 0.1 * gradient, rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(model.get_layer("head").bias, bias - 0.1 * slope[1], rtol=1e-3, atol=1e-5)
        return model.get_weights()

    for left, right in zip(weights(True), weights(False), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-5)


def test_a_compiled_and_traced_model_counts_it_from_the_next_fit():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="d")])
    model.compile(keras.optimizers.SGD(0.0), "mse", jit_compile=False)
    x, y = normal(8, 4), normal(8, 2, seed=1)

    def losses():
        return [model.fit(x, y, verbose=0).history["loss"][0], model.evaluate(x, y, verbose=0)]

    plain = losses()
    penalize(model, l2=0.5)
    penalty = 0.5 * (model.layers[0].kernel.numpy() ** 2).sum()
    np.testing.assert_allclose(losses(), np.add(plain, penalty), rtol=1e-5)
    penalize(model)
    np.testing.assert_allclose(losses(), plain, rtol=1e-6)


def test_a_layer_that_is_called_often_counts_once():
    shared = layers.Dense(4, name="shared")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, shared(shared(shared(inputs))))
    penalize(model, l2=1.0)
    np.testing.assert_allclose(total(model), (shared.kernel.numpy() ** 2).sum(), rtol=1e-6)


def test_frozen_weights_cost_nothing_until_they_are_unfrozen():
    model = net()
    penalize(model, l2=1.0)
    model.get_layer("in").trainable = False
    np.testing.assert_allclose(total(model), sum((w**2).sum() for w in arrays(model, "dense/kernel", "head/kernel")))
    model.get_layer("in").trainable = True
    np.testing.assert_allclose(total(model), sum((w**2).sum() for w in arrays(model, *KERNELS)), rtol=1e-6)


@pytest.mark.parametrize(
    ("include", "exclude", "held"),
    [
        ("head", None, ("head/kernel", "head/bias")),
        ("in", None, None),
        ("in/*/kernel", None, ("in/dense/kernel",)),
        ("in/dense/kernel", None, ("in/dense/kernel",)),
        ("dense", "in", ("dense/kernel", "dense/bias")),
        (None, "dense", ("head/kernel",)),
        (None, ["in", "head"], ("dense/kernel",)),
        ("*/bias", "head/bias", ("dense/bias", "in/dense/bias")),
    ],
)
def test_patterns(include, exclude, held):
    report = penalize(net(), l2=1.0, include=include, exclude=exclude)
    if held is None:
        assert all(path.startswith("in/") for path in report.penalized) and len(report.penalized) == 4
    else:
        assert report.penalized == held


def test_a_penalty_replaces_the_one_before_and_that_of_the_layer():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layers.Dense(2, kernel_regularizer="l2", name="own")(inputs))
    assert penalize(model, l2=1.0).replaced == ("own/kernel",)
    assert str(penalize(model, l2=0.5)).endswith("1 had another penalty before.")
    np.testing.assert_allclose(total(model), 0.5 * (model.layers[1].kernel.numpy() ** 2).sum(), rtol=1e-6)
    report = penalize(model, l1=0, l2=0)
    assert model.losses == [] and report.penalized == () and report.replaced == ("own/kernel",)


def test_layers_of_one_name_are_told_apart_by_a_number():
    class Pair(layers.Layer):
        def __init__(self):
            super().__init__(name="pair")
            self.parts = [layers.Dense(2, name="same"), layers.Dense(2, name="same")]

        def call(self, inputs):
            return self.parts[0](inputs) + self.parts[1](inputs)

    inputs = keras.Input((3,))
    model = keras.Model(inputs, Pair()(inputs))
    report = penalize(model, l2=1.0)
    assert len(report.penalized) == 2 and report.penalized[0] == "pair/same/kernel"
    assert report.penalized[1].startswith("pair/same/kernel#")
    np.testing.assert_allclose(total(model), sum((w**2).sum() for w in model.get_weights()), rtol=1e-6)  # biases are 0


def test_a_subclassed_model_and_a_custom_loop():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2, name="d")

        def call(self, inputs):
            return self.dense(inputs)

    model = Own()
    model(normal(1, 3))
    assert penalize(model, l2=2.0).penalized == ("d/kernel",)
    with tf.GradientTape() as tape:
        loss = tf.add_n(model.losses)
    kernel = model.dense.kernel
    np.testing.assert_allclose(tape.gradient(loss, kernel.value), 4 * kernel.numpy(), rtol=1e-6)


def test_a_file_has_lost_it_and_it_can_be_added_again(tmp_path):
    model = net()
    report = penalize(model, l2=1.0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.losses == []
    assert penalize(again, l2=1.0).penalized == report.penalized
    np.testing.assert_allclose(total(again), total(model), rtol=1e-6)


def test_models_of_the_same_layers_have_it_too():
    model = net()
    penalize(model, l2=1.0)
    new = ut.regularization.add_dropout(model, 0.5, after="in/dense")
    np.testing.assert_allclose(total(new), total(model), rtol=1e-6)


def test_mixed_precision_sums_in_full_precision():
    """Half precision ends at 65504."""
    inputs = keras.Input((100,))
    model = keras.Model(inputs, layers.Dense(100, kernel_initializer=keras.initializers.Constant(10.0),
                                             dtype="mixed_float16")(inputs))  # fmt: skip
    penalize(model, l2=1.0)
    compiled(model, jit_compile=False)
    loss = model.evaluate(np.zeros((1, 100)), np.array([0]), verbose=0)
    np.testing.assert_allclose(loss, 1e6 + np.log(100), rtol=1e-6)


def test_a_pretrained_net_in_a_classifier(shared_weights):
    backbone = efficientnet(shared_weights)
    model = classifier(backbone)
    report = penalize(model, l2=1e-4)
    kernels = [
        layer.kernel.numpy() for layer in [*backbone.layers, model.get_layer("head")] if hasattr(layer, "kernel")
    ]
    assert len(report.penalized) == len(kernels)
    np.testing.assert_allclose(total(model), 1e-4 * sum((w.astype("float64") ** 2).sum() for w in kernels), rtol=1e-4)
    assert not any("bn" in path for path in report.penalized)
    x, y = images(), np.array([0, 1])
    model.get_layer("efficientnet_lite0").trainable = False
    compiled(model, jit_compile=False)
    with_penalty = model.evaluate(x, y, verbose=0)
    penalty = total(model)
    penalize(model)
    np.testing.assert_allclose(with_penalty - model.evaluate(x, y, verbose=0), penalty, rtol=1e-2, atol=1e-6)
    assert penalize(model, l2=1.0, include="efficientnet_lite0/block1?_*").penalized


def test_minilm():
    report = penalize(minilm(), l2=0.01, exclude="embeddings")
    # Four matrices in each of six blocks, and the pooler.
    assert len(report.penalized) == 25
    assert penalize(minilm(), l2=0.01, include="block_3/attention_*/kernel").penalized == (
        "block_3/attention_query_key_value/kernel", "block_3/attention_output/kernel",
    )  # fmt: skip


def test_bad_input():
    with pytest.raises(ValueError, match=r"`include` must be a pattern that fits the path of a weight.*'haed'.*head/"):
        penalize(net(), l2=1.0, include="haed")
    with pytest.raises(ValueError, match=r"`exclude` must be patterns that leave weights to penalise"):
        penalize(net(), l2=1.0, exclude=["in", "dense", "head"])
    with pytest.raises(ValueError, match="`exclude` must be a pattern that fits"):
        penalize(net(), l2=1.0, exclude="tail")
    for name in ("l1", "l2"):
        with pytest.raises(ValueError, match=f"`{name}` must be"):
            penalize(net(), **{name: -1.0})
    with pytest.raises(ValueError, match=r"`model` must be built.*Call it on an input first"):
        penalize(keras.Sequential([layers.Dense(3)]), l2=1.0)
    with pytest.raises(TypeError, match="`model` must be a Keras model"):
        penalize(layers.Dense(3), l2=1.0)
