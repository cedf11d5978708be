"""Gradients written out equal those that TensorFlow derives."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from unitools.backbones.encoder_ops import added, dropped, gelu
from unitools.backbones.row_norm import RowNorm


def values_and_gradients(function, *inputs):
    generator = np.random.default_rng(1)
    inputs = [tf.constant(value, "float32") for value in inputs]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = function(*inputs)
        total = tf.reduce_sum(outputs * generator.normal(size=outputs.shape).astype("float32"))
    return outputs, *tape.gradient(total, inputs)


@pytest.mark.parametrize("shape", [(6, 5), (3, 4, 5)])
def test_the_norm_equals_keras(shape):
    generator = np.random.default_rng(0)
    ours, theirs = RowNorm(epsilon=1e-3), keras.layers.LayerNormalization(epsilon=1e-3)
    inputs, weights = generator.normal(size=shape), [generator.normal(size=5), generator.normal(size=5)]
    for layer in (ours, theirs):
        layer.build(shape)
        layer.set_weights(weights)

    def run(layer):
        def call(inputs, gamma, beta):
            with keras.StatelessScope(state_mapping=[(layer.gamma, gamma), (layer.beta, beta)]):
                return layer(inputs)

        return values_and_gradients(call, inputs, *weights)

    for left, right in zip(run(ours), run(theirs), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-5)


def test_gelu_equals_tensorflow():
    inputs = np.linspace(-6, 6, 101)
    expected = values_and_gradients(lambda values: tf.nn.gelu(values, approximate=False), inputs)
    for left, right in zip(values_and_gradients(gelu, inputs), expected, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-5)


def test_dropout_keeps_the_mean_and_its_gradient_the_places():
    ones = np.ones((200, 100))
    outputs, gradient = values_and_gradients(lambda x: dropped(x, 0.25, keras.random.SeedGenerator(3)), ones)
    np.testing.assert_allclose(np.unique(outputs), [0, 4 / 3], rtol=1e-6)
    assert abs(float(np.mean(outputs)) - 1) < 0.02
    np.testing.assert_array_equal(np.asarray(outputs) == 0, np.asarray(gradient) == 0)


def test_the_sum_drops_the_update_only():
    zeros, ones = np.zeros((50, 40)), np.ones((50, 40))
    outputs, first, second = values_and_gradients(
        lambda x, y: added(x, y, 0.5, keras.random.SeedGenerator(3)), zeros, ones
    )
    assert set(np.unique(outputs)) == {0.0, 2.0}
    assert np.all(np.asarray(first) != 0)
    np.testing.assert_allclose(second, np.asarray(first) * np.asarray(outputs), rtol=1e-6)
