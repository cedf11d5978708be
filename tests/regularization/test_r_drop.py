import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.regularization.plain_steps import (
    CLASSES,
    assert_all_close,
    batch,
    compiled,
    cross_entropy,
    dense_arrays,
    dense_net,
)

RDrop = ut.regularization.RDrop


def divergence(p, q):
    return np.sum(p * np.log(p / q), axis=-1)


def softmax(logits):
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def replayed(outputs, **options):
    """Return a model that gives out `outputs[n]` in its n-th pass, and so has known passes."""

    @keras.saving.register_keras_serializable("tests")
    class Replay(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.passes = iter(outputs)

        def call(self, inputs):
            if isinstance(inputs, keras.KerasTensor):
                return inputs
            return inputs * 0 + next(self.passes)

        def compute_output_spec(self, inputs):
            return keras.KerasTensor((None, *outputs[0].shape[1:]))

    inputs = keras.Input((1,) * (outputs[0].ndim - 1))
    return keras.Model(inputs, Replay()(inputs))


def total(outputs, y, loss, step, sample_weight=None):
    model = ut.regularization.RegularizedModel(replayed(outputs), [step])
    model.compile("sgd", loss)
    x = np.zeros((len(outputs[0]), *(1,) * (outputs[0].ndim - 1)), "float32")
    return float(model.compute_gradients(x, y, sample_weight)[0])


def logits(seed, shape):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def test_the_loss_is_that_of_the_paper():
    left, right = logits(0, (6, CLASSES)), logits(1, (6, CLASSES))
    y = np.arange(6) % CLASSES
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    p, q = softmax(left), softmax(right)
    expected = (float(loss(y, left)) + float(loss(y, right))) / 2
    expected += 1.5 * np.mean(divergence(p, q) + divergence(q, p)) / 2
    np.testing.assert_allclose(total([left, right], y, loss, RDrop(1.5)), expected, rtol=1e-5)
    for probabilities in (keras.losses.SparseCategoricalCrossentropy(), "sparse_categorical_crossentropy"):
        np.testing.assert_allclose(total([p, q], y, probabilities, RDrop(1.5)), expected, rtol=1e-5)


def test_sample_weights_weigh_the_divergence():
    left, right = logits(0, (6, CLASSES)), logits(1, (6, CLASSES))
    y, weights = np.arange(6) % CLASSES, np.array([0, 1, 2, 0.5, 3, 0], "float32")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    p, q = softmax(left), softmax(right)
    plain = (float(loss(y, left, weights)) + float(loss(y, right, weights))) / 2
    rows = (divergence(p, q) + divergence(q, p)) / 2
    expected = plain + (weights * rows).sum() / weights.sum()
    np.testing.assert_allclose(total([left, right], y, loss, RDrop(1.0), weights), expected, rtol=1e-5)


@pytest.mark.parametrize("ignore_class", [-1, 2, None])
def test_ignored_positions_of_a_sequence_do_not_count(ignore_class):
    left, right = logits(0, (4, 5, CLASSES)), logits(1, (4, 5, CLASSES))
    y = np.random.default_rng(0).integers(0, CLASSES, (4, 5))
    if ignore_class == -1:
        y[:, 3:] = -1
    loss = ut.losses.TokenCrossEntropy(ignore_class=ignore_class)
    p, q = softmax(left), softmax(right)
    counts = np.ones_like(y) if ignore_class is None else y != ignore_class
    rows = (divergence(p, q) + divergence(q, p)) / 2
    expected = (float(loss(y, left)) + float(loss(y, right))) / 2 + (rows * counts).sum() / counts.sum()
    found = total([left, right], y, loss, RDrop(1.0, ignore_class=ignore_class))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_masked_positions_do_not_count():
    keras.utils.set_random_seed(0)
    ids = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(9, 4, mask_zero=True)(ids)
    x = keras.layers.Dropout(0.5, seed=2)(x)
    net = keras.Model(ids, keras.layers.Dense(CLASSES)(x))
    short = np.array([[3, 4, 5], [6, 2, 0]])
    padded = np.pad(short, [(0, 0), (0, 3)])
    left, right = logits(0, (2, 6, CLASSES)), logits(1, (2, 6, CLASSES))
    step = RDrop(1.0)
    step_rows = []
    for tokens in (short, padded):
        mask = net(tokens)._keras_mask
        one, two = (tf.constant(array[:, : tokens.shape[1]]) for array in (left, right))
        one._keras_mask = mask
        step_rows.append(float(step._divergence(None, one, two, None, True)))
    np.testing.assert_allclose(step_rows[0], step_rows[1], rtol=1e-6)
    p, q = softmax(left[:, :3]), softmax(right[:, :3])
    rows = (divergence(p, q) + divergence(q, p)) / 2
    np.testing.assert_allclose(step_rows[0], rows[short > 0].mean(), rtol=1e-5)


def test_one_unit_stands_for_two_classes():
    left, right = logits(0, (6, 1)), logits(1, (6, 1))
    y = (np.arange(6) % 2)[:, None].astype("float32")
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    p, q = (1 / (1 + np.exp(-array)) for array in (left, right))
    p, q = np.concatenate([1 - p, p], -1), np.concatenate([1 - q, q], -1)
    expected = (float(loss(y, left)) + float(loss(y, right))) / 2
    expected += np.mean(divergence(p, q) + divergence(q, p)) / 2
    np.testing.assert_allclose(total([left, right], y, loss, RDrop(1.0)), expected, rtol=1e-5)
    probabilities = keras.losses.BinaryCrossentropy()
    np.testing.assert_allclose(total([p[:, 1:], q[:, 1:]], y, probabilities, RDrop(1.0)), expected, rtol=1e-4)


def test_gradients_are_those_of_both_passes():
    """Against a tape over two calls of the bare net, whose seeds give the same two masks."""
    x, y = batch()
    _, found, y_pred = compiled(dense_net(dropout=0.5), [RDrop(2.0)]).compute_gradients(x, y)
    net = dense_net(dropout=0.5)
    with tf.GradientTape() as tape:
        left, right = net(x, training=True), net(x, training=True)
        p, q = tf.nn.softmax(left), tf.nn.softmax(right)
        both = tf.reduce_sum(p * tf.math.log(p / q) + q * tf.math.log(q / p), -1)
        loss = (cross_entropy(y, left) + cross_entropy(y, right)) / 2 + 2.0 * tf.reduce_mean(both) / 2
    assert not np.allclose(left, right)
    np.testing.assert_allclose(y_pred, left, rtol=1e-6)
    assert_all_close(dense_arrays(found), dense_arrays(tape.gradient(loss, [v.value for v in net.trainable_weights])))


def test_seeds_go_on_by_both_passes():
    x, y = batch()
    model = compiled(dense_net(dropout=0.5), [RDrop(1.0)])
    generator = next(layer for layer in model.layers if isinstance(layer, keras.layers.Dropout)).seed_generator
    model.fit(x, y, batch_size=16, verbose=0)
    assert generator.state.numpy().tolist() == [5, 2]


def test_a_loss_that_does_not_tell_is_an_error():
    model = compiled(dense_net(), [RDrop(1.0)], loss=lambda y_true, y_pred: keras.ops.mean(y_pred))
    with pytest.raises(ValueError, match="`from_logits` must be True or False"):
        model.compute_gradients(*batch())
