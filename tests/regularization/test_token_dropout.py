"""Ids that are replaced."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.regularization.statistics import assert_share

TokenDropout = ut.regularization.TokenDropout


def ids(*shape, high=50):
    return np.random.default_rng(0).integers(0, high, shape).astype("int32")


@pytest.mark.parametrize("rate", [0.05, 0.5])
def test_the_share_of_the_others_that_is_replaced_is_the_rate(rate):
    x = ids(400, 60)
    y = TokenDropout(rate, 99, keep=(0, 1, 2), seed=1)(x, training=True).numpy()
    special = x <= 2
    np.testing.assert_array_equal(y[special], x[special])
    gone = (y == 99) & ~special
    np.testing.assert_array_equal(y[~gone], x[~gone])
    assert_share(gone.sum(), (~special).sum(), rate)


def test_padding_is_kept_by_default_and_nothing_if_asked():
    x = np.zeros((10, 100), "int32")
    assert (TokenDropout(0.9, 5, seed=1)(x, training=True).numpy() == 0).all()
    assert_share((TokenDropout(0.9, 5, keep=(), seed=1)(x, training=True).numpy() == 5).sum(), 1000, 0.9)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_dtype_is_kept_and_inference_is_the_identity(dtype):
    x = ids(4, 6).astype(dtype)
    layer = TokenDropout(0.5, 7, seed=1, dtype="mixed_float16")
    assert layer(x, training=True).dtype == dtype
    np.testing.assert_array_equal(layer(x), x)
    assert layer(keras.Input((6,), dtype=dtype)).dtype == dtype


def test_it_stands_before_an_embedding_in_fit_with_xla(tmp_path):
    inputs = keras.Input((None,), dtype="int32")
    x = TokenDropout(0.5, 3, keep=(0, 1), seed=1)(inputs)
    x = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(50, 4, mask_zero=True)(x))
    model = keras.Model(inputs, keras.layers.Dense(1)(x))
    model.compile("sgd", "mse", jit_compile=True)
    table = model.layers[2].embeddings.numpy()
    model.fit(np.full((64, 8), 9, "int32"), np.ones(64), batch_size=64, verbose=0)
    moved = np.any(model.layers[2].embeddings.numpy() != table, axis=1)
    assert set(np.flatnonzero(moved)) == {3, 9}
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.layers[1].keep == (0, 1)
    np.testing.assert_array_equal(again.predict(ids(3, 5), verbose=0), model.predict(ids(3, 5), verbose=0))


def test_bad_input():
    with pytest.raises(ValueError, match="`inputs` must be integers.*float32.*Give ids"):
        TokenDropout(0.5, 3)(np.ones((2, 3), "float32"))
    for keep in ("01", 0, {0}, [0.5], [-1]):
        with pytest.raises(ValueError, match="`keep` must be"):
            TokenDropout(0.5, 3, keep=keep)
    with pytest.raises(ValueError, match="`replacement` must be"):
        TokenDropout(0.5, -1)


def test_one_graph_for_ids_of_any_length():
    layer = TokenDropout(0.5, 3, seed=1)
    trace = tf.function(lambda x: layer(x, training=True), input_signature=[tf.TensorSpec((None, None), "int32")])
    assert [trace(ids(2, length)).shape for length in (3, 7)] == [(2, 3), (2, 7)]
