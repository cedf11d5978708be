"""Kernels of a given spectral norm, against singular values by numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.regularization.statistics import normal

SpectralNormalization = ut.regularization.SpectralNormalization

LAYERS = {
    "dense": (lambda: keras.layers.Dense(7), (3, 12), lambda k: k),
    "conv1d": (lambda: keras.layers.Conv1D(5, 3), (2, 9, 4), lambda k: k.reshape(-1, 5)),
    "conv2d": (lambda: keras.layers.Conv2D(5, (3, 2)), (2, 8, 8, 4), lambda k: k.reshape(-1, 5)),
    "transposed": (
        lambda: keras.layers.Conv2DTranspose(5, 3),
        (2, 8, 8, 4),
        lambda k: np.moveaxis(k, 2, 3).reshape(-1, 5),
    ),
}


def direction_of(wrapper):
    (found,) = [weight for weight in wrapper.weights if weight.name == "direction"]
    return found.numpy()


def effective_kernel(wrapper):
    """Return the kernel as the wrapped layer reads it in a call."""
    return np.array(wrapper.transform(0, tf.convert_to_tensor(wrapper.layer.kernel.value), False))


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("bound", [1.0, 0.3])
def test_the_largest_singular_value_is_the_bound(kind, bound):
    make, shape, matrix = LAYERS[kind]
    wrapper = SpectralNormalization(make(), bound=bound)
    x = normal(*shape)
    for _ in range(200):
        wrapper(x, training=True)
    kernel = wrapper.layer.kernel.numpy()
    exact = np.linalg.svd(matrix(kernel), compute_uv=False)[0]
    np.testing.assert_allclose(effective_kernel(wrapper), kernel * bound / exact, rtol=1e-4, atol=1e-7)
    # The layer itself with that kernel in its place.
    plain = make()
    plain.build(x.shape)
    plain.set_weights([kernel * bound / exact, wrapper.layer.bias.numpy()])
    np.testing.assert_allclose(wrapper(x), plain(x), rtol=1e-3, atol=1e-5)


def test_a_step_is_an_iteration_of_the_papers_algorithm():
    wrapper = SpectralNormalization(keras.layers.Dense(6, use_bias=False), power_iterations=2)
    wrapper.build((None, 9))
    kernel = normal(9, 6, seed=3)  # another than at the start, so that the direction is not there yet
    wrapper.layer.kernel.assign(kernel)
    direction = direction_of(wrapper)
    output = wrapper(np.eye(9, dtype="float32"), training=True).numpy()
    inputs = kernel @ direction
    for _ in range(2):
        inputs = inputs / np.linalg.norm(inputs)
        direction = kernel.T @ inputs
        direction = direction / np.linalg.norm(direction)
        inputs = kernel @ direction
    sigma = inputs / np.linalg.norm(inputs) @ kernel @ direction
    np.testing.assert_allclose(direction_of(wrapper), direction, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(output, kernel / sigma, rtol=1e-4, atol=1e-6)


def test_gradients_count_the_division_in():
    """Equation 9: with kernel = sigma times a rank-one matrix of unit norm, a step along it changes nothing."""
    wrapper = SpectralNormalization(keras.layers.Dense(4, use_bias=False))
    wrapper.build((None, 5))
    left, right = np.eye(5)[:, :1], np.eye(4)[:1]
    wrapper.layer.kernel.assign(3 * left @ right)
    for _ in range(5):
        wrapper(normal(1, 5), training=True)
    weights = normal(5, 4)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(wrapper(np.eye(5, dtype="float32")) * weights)
    slope = tape.gradient(loss, wrapper.layer.kernel.value).numpy()
    expected = (weights - weights[0, 0] * left @ right) / 3
    np.testing.assert_allclose(slope, expected, rtol=1e-5, atol=1e-6)


def test_the_kernel_is_not_written_to():
    layer = keras.layers.Dense(4)
    wrapper = SpectralNormalization(layer)
    wrapper.build((None, 5))
    kernel = layer.kernel.numpy()
    wrapper(normal(2, 5), training=True)
    np.testing.assert_array_equal(layer.kernel, kernel)


def test_the_direction_moves_in_training_only_and_not_when_frozen():
    wrapper = SpectralNormalization(keras.layers.Dense(4))
    wrapper.build((None, 5))
    wrapper.layer.kernel.assign(normal(5, 4, seed=8))
    direction = direction_of(wrapper)
    wrapper(normal(2, 5))
    wrapper.trainable = False
    wrapper(normal(2, 5), training=True)
    np.testing.assert_array_equal(direction_of(wrapper), direction)
    wrapper.trainable = True
    wrapper(normal(2, 5), training=True)
    assert (direction_of(wrapper) != direction).any()


def test_a_net_of_bounded_layers_enlarges_no_difference():
    net = keras.Sequential(
        [keras.Input((6,)), *(keras.layers.Dense(16, activation="relu", kernel_initializer="he_normal") for _ in "123")]
    )
    bounded = ut.regularization.wrap_layers(net, SpectralNormalization, keras.layers.Dense)
    bounded.compile("sgd", "mse", jit_compile=True)
    bounded.fit(normal(64, 6), normal(64, 16, seed=1), epochs=20, verbose=0)
    left, right = normal(500, 6, seed=2), normal(500, 6, seed=3)
    apart = np.linalg.norm(bounded(left) - bounded(right), axis=1) / np.linalg.norm(left - right, axis=1)
    assert apart.max() < 1.001


def test_mixed_precision_and_a_file(tmp_path):
    inputs = keras.Input((8, 8, 2))
    layer = keras.layers.Conv2D(3, 3, dtype="mixed_bfloat16", name="conv")
    model = keras.Model(inputs, SpectralNormalization(layer, bound=2.0)(inputs))
    x = normal(2, 8, 8, 2)
    for _ in range(3):
        outputs = model(x, training=True)
    assert outputs.dtype == tf.bfloat16
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(x), model(x))
    assert again.layers[1].bound == 2.0


def test_a_kernel_of_zeros_stays_zeros():
    wrapper = SpectralNormalization(keras.layers.Dense(3, kernel_initializer="zeros"))
    np.testing.assert_array_equal(wrapper(normal(2, 4), training=True), np.zeros((2, 3)))


def test_bad_input():
    with pytest.raises(ValueError, match="`layer` must be one of Dense, Conv1D.*Embedding"):
        SpectralNormalization(keras.layers.Embedding(3, 2))
    with pytest.raises(ValueError, match="`layer` must be a Keras layer"):
        SpectralNormalization("dense")
    with pytest.raises(ValueError, match="`bound` must be"):
        SpectralNormalization(keras.layers.Dense(1), bound=0)
    with pytest.raises(ValueError, match="wrapped so already"):
        SpectralNormalization(SpectralNormalization(keras.layers.Dense(1)))
