"""Several samples of dropout through one head."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.regularization.statistics import normal

MultiSampleDropout = ut.regularization.MultiSampleDropout


def summing(units=1):
    return keras.layers.Dense(units, kernel_initializer="ones", name="head")


def test_one_feature_tells_the_number_of_kept_samples():
    """With one feature of 1 and a head that sums, an output is 2 k / n, k of n samples being kept: a binomial."""
    samples, examples = 4, 20_000
    layer = MultiSampleDropout(summing(), num_samples=samples, rate=0.5, seed=1)
    kept = layer(np.ones((examples, 1), "float32"), training=True).numpy()[:, 0] * samples / 2
    counts = np.bincount(kept.round().astype(int), minlength=samples + 1)
    np.testing.assert_allclose(kept, kept.round(), atol=1e-6)
    expected = np.array([1, 4, 6, 4, 1]) / 16
    np.testing.assert_array_less(
        np.abs(counts / examples - expected), 5 * np.sqrt(expected * (1 - expected) / examples)
    )


def test_variance_falls_by_the_number_of_samples():
    x = np.ones((20_000, 8), "float32")
    variances = [
        MultiSampleDropout(summing(), num_samples=number, rate=0.5, seed=2)(x, training=True).numpy().var()
        for number in (1, 8)
    ]
    # One sample: 8 features with variance rate / (1 - rate) each. The deviation of a variance is sqrt(2 / n) of it.
    np.testing.assert_allclose(variances, [8.0, 1.0], rtol=5 * np.sqrt(2 / 20_000))


def test_inference_is_the_head():
    x, head = normal(5, 6), keras.layers.Dense(3)
    layer = MultiSampleDropout(head, seed=1)
    np.testing.assert_array_equal(layer(x), head(x))
    np.testing.assert_allclose(MultiSampleDropout(head, rate=0.0)(x, training=True), head(x), rtol=1e-6)


def test_gradients_are_the_mean_of_the_samples():
    x, head = normal(4, 6), summing()
    layer = MultiSampleDropout(head, num_samples=3, rate=0.4, seed=7)
    layer.build(x.shape)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x, training=True))
    slope = tape.gradient(loss, head.kernel.value).numpy()[:, 0]
    seed = keras.random.SeedGenerator(7)
    copies = keras.random.dropout(np.concatenate([x] * 3), 0.4, seed=seed).numpy()
    np.testing.assert_allclose(slope, copies.sum(axis=0) / 3, rtol=1e-5)


def test_logits_of_sequences_masks_and_several_outputs():
    class Head(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = True

        def call(self, inputs, mask=None):
            weights = keras.ops.cast(mask, inputs.dtype)[..., None]
            return {"sum": keras.ops.sum(inputs * weights, axis=1), "all": inputs * weights}

    x, mask = normal(2, 3, 4), np.array([[True, True, False], [True, False, False]])
    found = MultiSampleDropout(Head(), num_samples=2000, rate=0.5, seed=1)(x, mask=mask, training=True)
    exact = x * mask[..., None]
    # The mean of n samples of x / (1 - rate) or 0 deviates by |x| / sqrt(n).
    assert (np.abs(found["all"] - exact) <= 5 * np.abs(exact) / np.sqrt(2000)).all()
    np.testing.assert_allclose(found["sum"], found["all"].numpy().sum(axis=1), rtol=1e-4, atol=1e-5)


def test_as_the_head_of_a_model_it_trains_under_xla_and_mixed_precision(tmp_path):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6,))
    layer = MultiSampleDropout(keras.layers.Dense(2, dtype="mixed_float16"), num_samples=4, seed=1)
    model = keras.Model(inputs, layer(inputs))
    model.compile(
        keras.optimizers.Adam(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=True
    )
    x = normal(32, 6)
    history = model.fit(x, (x[:, 0] > 0).astype(int), epochs=20, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert model.output.dtype == "float16"
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(x), model(x))


def test_the_activation_can_be_read():
    head = keras.layers.Dense(2, activation="softmax")
    assert MultiSampleDropout(head).output_activation is head.activation
    assert not hasattr(MultiSampleDropout(keras.layers.Flatten()), "output_activation")


def test_bad_input():
    with pytest.raises(ValueError, match="`num_samples` must be"):
        MultiSampleDropout(summing(), num_samples=0)
    with pytest.raises(ValueError, match="`rate` must be"):
        MultiSampleDropout(summing(), rate=1.0)
    with pytest.raises(ValueError, match="wrapped so already"):
        MultiSampleDropout(MultiSampleDropout(summing()))
