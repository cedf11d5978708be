"""Kernels mixed with those of the start."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.regularization.statistics import assert_share, normal

Mixout = ut.regularization.Mixout


def moved(layer, inputs, **options):
    """Return the wrapper of a layer that has moved from its start, with the kernel at the start and now."""
    wrapper = Mixout(layer, **options)
    wrapper(inputs)
    start = layer.kernel.numpy()
    layer.kernel.assign(start + normal(*start.shape, seed=1))
    return wrapper, start, layer.kernel.numpy()


def effective(wrapper, size):
    """Return the kernel that the wrapper used, by inputs that read it out."""
    return wrapper(np.eye(size, dtype="float32"), training=True).numpy()


@pytest.mark.parametrize("rate", [0.2, 0.9])
def test_elements_are_the_papers_mixture(rate):
    size = 200
    wrapper, start, now = moved(keras.layers.Dense(size, use_bias=False), np.eye(size), rate=rate, seed=3)
    found = effective(wrapper, size)
    # Equation 5: (mask * start + (1 - mask) * now - rate * start) / (1 - rate), for either value of the mask.
    replaced, kept = (start - rate * start) / (1 - rate), (now - rate * start) / (1 - rate)
    is_replaced = np.isclose(found, replaced, atol=1e-5)
    np.testing.assert_allclose(found, np.where(is_replaced, replaced, kept), atol=1e-4)
    assert_share(is_replaced.sum(), size * size, rate)


def test_the_mean_over_draws_is_the_kernel():
    wrapper, start, now = moved(keras.layers.Dense(3, use_bias=False), np.eye(4), rate=0.5, seed=4)
    draws = 2000
    mean = np.mean([effective(wrapper, 4) for _ in range(draws)], axis=0)
    # Each draw is start + 2 step or start: its deviation is |step|.
    assert (np.abs(mean - now) < 5 * np.abs(now - start) / np.sqrt(draws)).all()


def test_gradients_reach_the_kernel_where_it_was_kept():
    wrapper, start, _ = moved(keras.layers.Dense(50, use_bias=False), np.eye(50), rate=0.75, seed=5)
    with tf.GradientTape() as tape:
        outputs = wrapper(np.eye(50, dtype="float32"), training=True)
        loss = tf.reduce_sum(outputs)
    slope = tape.gradient(loss, wrapper.layer.kernel.value).numpy()
    np.testing.assert_array_equal(slope, np.where(np.isclose(outputs, start, atol=1e-6), 0, 4.0))


def test_inference_rate_0_and_the_start_are_the_layer():
    x, layer = normal(3, 5), keras.layers.Dense(4)
    wrapper = Mixout(layer, 0.7, seed=1)
    np.testing.assert_allclose(wrapper(x, training=True), layer(x), rtol=1e-5, atol=1e-6)
    layer.kernel.assign(layer.kernel + 1)
    np.testing.assert_array_equal(wrapper(x), layer(x))
    np.testing.assert_array_equal(Mixout(layer, 0.0)(x, training=True), layer(x))
    assert len(wrapper.trainable_weights) == 2


@pytest.mark.parametrize(
    ("make", "shape", "count"),
    [
        (lambda: keras.layers.Conv2D(4, 3), (2, 8, 8, 3), 1),
        (lambda: keras.layers.SeparableConv2D(4, 3), (2, 8, 8, 3), 2),
        (lambda: keras.layers.LSTM(4), (2, 5, 3), 2),
        (lambda: keras.layers.Bidirectional(keras.layers.GRU(4)), (2, 5, 3), 4),
        (lambda: ut.backbones.EncoderBlock(2, 8), (2, 5, 4), 4),
    ],
    ids=["conv", "separable", "lstm", "bidirectional", "encoder"],
)
def test_all_kernels_of_composite_layers_are_mixed(make, shape, count):
    """With rates near 1 nearly every element is the start's, or far off it: outputs no longer are the layer's."""
    x, wrapper = normal(*shape), Mixout(make(), 0.5, seed=1)
    before = np.array(wrapper(x))
    assert len(wrapper.kernels()) == count
    for kernel in wrapper.kernels():
        kernel.assign(kernel + 0.1)
        plain, mixed = np.array(wrapper(x)), np.array(wrapper(x, training=True))
        assert np.abs(mixed - plain).max() > 1e-6
        kernel.assign(kernel - 0.1)
    np.testing.assert_allclose(wrapper(x), before, atol=1e-5)


def test_what_the_wrapped_layer_does_besides_stays():
    """Statistics move, dropout draws anew, losses count once."""
    inner = keras.Sequential(
        [
            keras.layers.Dense(3, activity_regularizer=keras.regularizers.L2(0.5)),
            keras.layers.BatchNormalization(momentum=0.5),
            keras.layers.Dropout(0.5, seed=1),
        ]
    )
    x = normal(64, 4)
    inputs = keras.Input((4,))
    model = keras.Model(inputs, Mixout(inner, 0.5, seed=2)(inputs))
    first, second = (model(x, training=True).numpy() for _ in range(2))
    assert (first != second).any()
    losses = np.array(model.losses)
    hidden = inner.layers[0](x).numpy()
    moving = inner.layers[1].moving_mean.numpy()
    np.testing.assert_allclose(moving, 0.75 * hidden.mean(axis=0), rtol=1e-4)  # two steps of one half
    np.testing.assert_allclose(losses, [0.5 * (hidden**2).sum() / len(x)], rtol=1e-4)


def test_mixed_precision_mixes_in_full_precision():
    """A start in half precision would be rounded, and differ from the kernel before any step is taken."""
    layer = keras.layers.Dense(4, dtype="mixed_bfloat16")
    wrapper = Mixout(layer, 0.9, seed=1)
    x = normal(3, 5)
    outputs = wrapper(x, training=True)
    assert outputs.dtype == tf.bfloat16
    assert wrapper.non_trainable_weights[0].dtype == "float32"
    np.testing.assert_array_equal(outputs, layer(x))


def test_fit_under_xla_and_files_hold_the_start(tmp_path):
    inputs = keras.Input((6,))
    model = keras.Model(inputs, Mixout(keras.layers.Dense(2), 0.5, seed=1)(inputs))
    start = model.layers[1].layer.kernel.numpy()
    model.compile("sgd", "mse", jit_compile=True)
    model.fit(normal(32, 6), normal(32, 2, seed=1), epochs=3, verbose=0)
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    again = keras.models.load_model(tmp_path / "model.keras")
    anew = keras.models.clone_model(model)
    anew.load_weights(tmp_path / "model.weights.h5")
    for other in (again, anew):
        held = {weight.name: weight.numpy() for weight in other.layers[1].weights}
        np.testing.assert_array_equal(held["start_0"], start)
        np.testing.assert_array_equal(held["kernel"], model.layers[1].layer.kernel)
    assert (start != model.layers[1].layer.kernel.numpy()).any()


def test_bad_input():
    with pytest.raises(ValueError, match="`layer` must be a layer with a kernel.*'norm'"):
        Mixout(keras.layers.LayerNormalization(name="norm"), 0.5)(normal(2, 3))
    with pytest.raises(ValueError, match="wrapped so already"):
        Mixout(Mixout(keras.layers.Dense(1), 0.5), 0.5)
    with pytest.raises(ValueError, match=r"`rate` must be a number in \[0, 1\)"):
        Mixout(keras.layers.Dense(1), 1.0)


def test_a_kernel_wrapper_of_ones_own():
    class Doubled(ut.regularization.KernelWrapper):
        def transform(self, number, kernel, training):
            return 2 * kernel

    layer = keras.layers.Dense(3)
    wrapper = Doubled(Mixout(layer, 0.5, seed=1))
    x = normal(4, 5)
    np.testing.assert_allclose(wrapper(x), 2 * (layer(x) - layer.bias) + layer.bias, rtol=1e-5, atol=1e-6)
    with pytest.raises(NotImplementedError, match="KernelWrapper must define `transform`"):
        ut.regularization.KernelWrapper(keras.layers.Dense(1))(x)
