"""Small models and data on which loops are compared. Not a test."""

import keras
import numpy as np
import tensorflow as tf

import unitools as ut

layers = keras.layers


def classifier(**options):
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8, activation="relu", kernel_regularizer=keras.regularizers.L2(0.01)),
            layers.BatchNormalization(),
            layers.Dropout(0.3, seed=4),
            layers.Dense(3),
        ]
    )
    options = {"optimizer": keras.optimizers.Adam(0.01), "loss": ut.losses.CrossEntropy(from_logits=True)} | options
    model.compile(metrics=["accuracy"], **options)
    return model


def examples(count=22):
    random = np.random.default_rng(0)
    return random.normal(size=(count, 6)).astype("float32"), random.integers(0, 3, count)


def dataset(batch_size=4, count=22):
    return tf.data.Dataset.from_tensor_slices(examples(count)).batch(batch_size)


def tagger(optimizer=None, **loss):
    """A tagger without dropout, so that a batch can be cut."""
    keras.utils.set_random_seed(5)
    model = keras.Sequential([keras.Input((7, 4)), layers.Dense(6, activation="tanh"), layers.Dense(3)])
    model.compile(optimizer or keras.optimizers.SGD(0.5), ut.losses.TokenCrossEntropy(**loss))
    return model


def tagged(count=12):
    """Features and tags; every other sentence has one known tag, so micro-batches of one differ sevenfold."""
    random = np.random.default_rng(1)
    tags = random.integers(0, 3, (count, 7))
    tags[::2, 1:] = -1
    return random.normal(size=(count, 7, 4)).astype("float32"), tags


def batches(data, batch_size):
    return tf.data.Dataset.from_tensor_slices(data).batch(batch_size)


def assert_equal_weights(one, other, **tolerance):
    for first, second in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(first, second, **({"rtol": 1e-6, "atol": 1e-6} | tolerance))


def assert_equal_histories(one, other):
    assert list(one.history) == list(other.history)
    for name, values in one.history.items():
        np.testing.assert_allclose(values, other.history[name], rtol=1e-5, err_msg=name)
