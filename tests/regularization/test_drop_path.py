"""Examples that pass a branch or a layer by."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.regularization.statistics import assert_share, normal

DropPath, LayerDrop = ut.regularization.DropPath, ut.regularization.LayerDrop
EXAMPLES = 20_000


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_each_example_is_dropped_whole_or_scaled(rate):
    x = normal(EXAMPLES, 3, 2)
    y = DropPath(rate, seed=1)(x, training=True).numpy()
    dropped = np.all(y == 0, axis=(1, 2))
    np.testing.assert_allclose(y[~dropped], x[~dropped] / (1 - rate), rtol=1e-6)
    assert_share(dropped.sum(), EXAMPLES, rate)


def test_the_mean_is_kept():
    rate, layer = 0.3, DropPath(0.3, seed=2)
    y = layer(np.ones((EXAMPLES, 1), "float32"), training=True).numpy()
    deviation = np.sqrt(rate / (1 - rate) / EXAMPLES)  # that of a Bernoulli divided by 1 - rate
    assert abs(y.mean() - 1) < 5 * deviation


@pytest.mark.parametrize("layer", [DropPath(0.5, seed=1), DropPath(0.0)])
def test_inference_and_rate_0_are_the_identity(layer):
    x = normal(8, 4)
    np.testing.assert_array_equal(layer(x), x)
    np.testing.assert_array_equal(layer(x, training=layer.rate == 0), x)


def test_draws_are_independent_of_each_other():
    layer = DropPath(0.5, seed=3)
    first, second = (layer(np.ones((EXAMPLES, 1)), training=True).numpy() > 0 for _ in range(2))
    assert_share((first & second).sum(), EXAMPLES, 0.25)


def test_half_precision_scales_exactly_by_a_power_of_two():
    y = DropPath(0.5, seed=1, dtype="mixed_float16")(np.full((64, 2), 3.0), training=True)
    assert y.dtype == tf.float16
    assert set(np.unique(y)) == {0.0, 6.0}


def test_gradients_of_dropped_examples_are_0():
    x, layer = tf.Variable(normal(32, 3)), DropPath(0.5, seed=1)
    with tf.GradientTape() as tape:
        y = layer(x, training=True)
        loss = tf.reduce_sum(y)
    kept = np.any(y.numpy() != 0, axis=1)
    np.testing.assert_array_equal(tape.gradient(loss, x), np.where(kept, 2.0, 0.0)[:, None] * np.ones((1, 3)))


def test_a_mask_goes_through():
    ids = np.array([[1, 2, 0], [3, 0, 0]])
    embedded = keras.layers.Embedding(5, 4, mask_zero=True)(ids)
    dropped = DropPath(0.5)(embedded)
    np.testing.assert_array_equal(dropped._keras_mask, ids != 0)


def doubling():
    return keras.layers.Dense(3, use_bias=False, kernel_initializer=lambda shape, dtype=None: 2 * np.eye(3), name="d")


def test_layer_drop_gives_input_or_output_unscaled():
    x = normal(EXAMPLES, 4, 3)
    layer = LayerDrop(doubling(), 0.2, seed=5)
    y = layer(x, training=True).numpy()
    passed_by = np.all(y == x, axis=(1, 2))
    np.testing.assert_allclose(y[~passed_by], 2 * x[~passed_by], rtol=1e-6)
    assert_share(passed_by.sum(), EXAMPLES, 0.2)
    np.testing.assert_allclose(layer(x), 2 * x, rtol=1e-6)


def test_layer_drop_under_xla():
    x, layer = normal(2000, 3), LayerDrop(doubling(), 0.3, seed=9)
    layer.build(x.shape)
    y = tf.function(lambda: layer(x, training=True), jit_compile=True)().numpy()
    passed_by = np.all(y == x, axis=1)
    np.testing.assert_allclose(y[~passed_by], 2 * x[~passed_by], rtol=1e-6)
    assert_share(passed_by.sum(), 2000, 0.3)


def test_layer_drop_hands_the_mask_to_the_layer():
    class Masked(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = True

        def call(self, inputs, mask=None):
            return inputs * keras.ops.cast(mask, inputs.dtype)[:, :, None]

    ids = np.array([[1, 2, 0]])
    outputs = LayerDrop(Masked(), 0.5)(keras.layers.Embedding(5, 4, mask_zero=True, embeddings_initializer="ones")(ids))
    np.testing.assert_array_equal(outputs[0, :, 0], [1, 1, 0])


def test_layer_drop_refuses():
    with pytest.raises(ValueError, match=r"`layer` must be a layer whose output has the shape.*\(4, 2\) of \(4, 3\)"):
        LayerDrop(keras.layers.Dense(2, name="narrow"), 0.5)(normal(4, 3))
    with pytest.raises(ValueError, match="whose output has the shape"):
        LayerDrop(keras.layers.Dense(2, name="narrow"), 0.5)(keras.Input((3,)))
    with pytest.raises(ValueError, match="whose output has the shape"):
        LayerDrop(keras.layers.Lambda(lambda x: (x, x)), 0.5)(normal(4, 3))
    with pytest.raises(ValueError, match="wrapped so already"):
        LayerDrop(LayerDrop(doubling(), 0.1), 0.1)
    with pytest.raises(ValueError, match=r"`rate` must be a number in \[0, 1\)"):
        LayerDrop(doubling(), 1.0)
    with pytest.raises(ValueError, match="`layer` must be a Keras layer"):
        LayerDrop(lambda x: x, 0.5)
