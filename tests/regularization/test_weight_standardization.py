"""Kernels of mean 0 and variance 1, against numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.regularization.statistics import normal

WeightStandardization = ut.regularization.WeightStandardization

LAYERS = {
    "dense": (lambda: keras.layers.Dense(7), (3, 12), (0,)),
    "conv1d": (lambda: keras.layers.Conv1D(5, 3), (2, 9, 4), (0, 1)),
    "conv2d": (lambda: keras.layers.Conv2D(5, 3), (2, 8, 8, 4), (0, 1, 2)),
    "grouped": (lambda: keras.layers.Conv2D(4, 3, groups=2), (2, 8, 8, 4), (0, 1, 2)),
    "conv3d": (lambda: keras.layers.Conv3D(5, 2), (2, 4, 4, 4, 3), (0, 1, 2, 3)),
    "transposed": (lambda: keras.layers.Conv2DTranspose(5, 3), (2, 8, 8, 4), (0, 1, 3)),
    "depthwise": (lambda: keras.layers.DepthwiseConv2D(3, depth_multiplier=2), (2, 8, 8, 4), (0, 1)),
    "depthwise1d": (lambda: keras.layers.DepthwiseConv1D(3), (2, 8, 4), (0,)),
}


@pytest.mark.parametrize("epsilon", [1e-10, 0.1])
@pytest.mark.parametrize("kind", LAYERS)
def test_it_is_the_layer_with_the_standardised_kernel(kind, epsilon):
    make, shape, axes = LAYERS[kind]
    x, wrapper = normal(*shape), WeightStandardization(make(), epsilon=epsilon)
    found = wrapper(x)
    kernel, bias = (weight.numpy().astype("float64") for weight in wrapper.layer.weights)
    centred = kernel - kernel.mean(axis=axes, keepdims=True)
    plain = make()
    plain.build(x.shape)
    plain.set_weights([centred / np.sqrt(kernel.var(axis=axes, keepdims=True) + epsilon), bias])
    np.testing.assert_allclose(found, plain(x), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(wrapper(x, training=True), found)


def test_gradients_are_those_of_the_formula():
    """The standardised kernel does not change with a factor or a shift, so its gradient is orthogonal to both."""
    wrapper = WeightStandardization(keras.layers.Dense(4))
    wrapper.build((None, 6))
    kernel = wrapper.layer.kernel
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(wrapper(np.eye(6, dtype="float32")) * normal(6, 4))
    slope = tape.gradient(loss, kernel.value).numpy()
    np.testing.assert_allclose(slope.sum(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose((slope * kernel.numpy()).sum(axis=0), 0, atol=1e-5)
    assert np.abs(slope).max() > 0.1


def test_a_conv_net_with_group_norm_trains_and_its_kernels_grow_no_mean(tmp_path):
    net = keras.Sequential([
        keras.Input((8, 8, 2)),
        keras.layers.Conv2D(4, 3, name="conv"), keras.layers.GroupNormalization(2), keras.layers.ReLU(),
        keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1),
    ])  # fmt: skip
    model = ut.regularization.wrap_layers(net, WeightStandardization, keras.layers.Conv2D)
    mean = net.get_layer("conv").kernel.numpy().mean(axis=(0, 1, 2))
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=True)
    x = normal(32, 8, 8, 2)
    history = model.fit(x, x.mean(axis=(1, 2))[:, :1], epochs=5, verbose=0).history["loss"]
    assert history[-1] < history[0]
    np.testing.assert_allclose(net.get_layer("conv").kernel.numpy().mean(axis=(0, 1, 2)), mean, atol=1e-6)
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(x), model(x))


def test_mixed_precision_standardises_in_full_precision():
    """A mean of 100 with a deviation of 0.01 is lost in half precision."""
    layer = keras.layers.Dense(2, use_bias=False, dtype="mixed_float16")
    wrapper = WeightStandardization(layer)
    wrapper.build((None, 4))
    layer.kernel.assign(100 + 0.01 * np.array([[1, 1], [-1, 1], [1, -1], [-1, -1]]))
    outputs = wrapper(np.eye(4))
    assert outputs.dtype == tf.float16
    np.testing.assert_allclose(outputs, [[1, 1], [-1, 1], [1, -1], [-1, -1]], atol=1e-3)


def test_bad_input():
    with pytest.raises(ValueError, match="`layer` must be a layer with two inputs an output or more.*'narrow'"):
        WeightStandardization(keras.layers.Dense(4, name="narrow"))(normal(2, 1))
    with pytest.raises(ValueError, match="`layer` must be a layer with two inputs"):
        WeightStandardization(keras.layers.DepthwiseConv2D(1))(normal(2, 4, 4, 3))
    with pytest.raises(ValueError, match="`layer` must be one of Dense, .*DepthwiseConv2D.*LSTM"):
        WeightStandardization(keras.layers.LSTM(3))
    with pytest.raises(ValueError, match="`epsilon` must be"):
        WeightStandardization(keras.layers.Dense(1), epsilon=0)
