import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.regularization.plain_steps import (
    assert_all_close,
    compiled,
    cross_entropy,
    dense_arrays,
    slopes,
    text_net,
    texts,
)

FGM, PGD, SharpnessAware = ut.regularization.FGM, ut.regularization.PGD, ut.regularization.SharpnessAware


def rest_of(net, vectors, training=False):
    """Return the net's logits from embedded ids."""
    for layer in net.layers[2:]:
        vectors = layer(vectors, training=training) if isinstance(layer, keras.layers.Dropout) else layer(vectors)
    return vectors


def by_example(tensor):
    return np.sqrt(np.square(tensor).sum(axis=(1, 2), keepdims=True))


def slope_at(net, vectors, y):
    vectors = tf.constant(vectors)
    with tf.GradientTape() as tape:
        tape.watch(vectors)
        loss = cross_entropy(y, rest_of(net, vectors))
    return tape.gradient(loss, vectors).numpy()


def pushed_gradients(net, x, y, push):
    with tf.GradientTape() as tape:
        loss = cross_entropy(y, rest_of(net, net.get_layer("words")(x) + push))
    return dense_arrays(tape.gradient(loss, [v.value for v in net.trainable_weights]))


def push_of(net, x, y, epsilon, step_size, steps):
    vectors, push = net.get_layer("words")(x).numpy(), 0.0
    for _ in range(steps):
        slope = slope_at(net, vectors + push, y)
        push = push + step_size * slope / by_example(slope)
        push = push * np.minimum(1, epsilon / by_example(push))
    return push


@pytest.mark.parametrize(
    ("step", "push"),
    [
        (FGM(0.7), (0.7, 0.7, 1)),
        (PGD(0.7, step_size=0.3, steps=4), (0.7, 0.3, 4)),
        (PGD(5.0, step_size=0.3, steps=2), (5.0, 0.3, 2)),
    ],
)
def test_outputs_are_pushed_by_example(step, push):
    x, y = texts()
    net = text_net()
    expected = zip(slopes(net, x, y), pushed_gradients(net, x, y, push_of(net, x, y, *push)), strict=True)
    loss, found, _ = compiled(net, [step]).compute_gradients(x, y)
    assert_all_close(dense_arrays(found), [left + right for left, right in expected], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(loss, cross_entropy(y, net(x)), rtol=1e-6)


@pytest.mark.parametrize(
    ("step", "epsilon", "step_size", "steps"),
    [
        (FGM(0.7, target="table"), 0.7, 0.7, 1),
        (PGD(0.7, step_size=0.3, steps=4, layers="wor*", target="table"), 0.7, 0.3, 4),
    ],
)
def test_the_table_is_pushed_for_the_batch_and_never_written_to(step, epsilon, step_size, steps):
    x, y = texts()
    net = text_net()
    plain, start = slopes(net, x, y), net.get_weights()
    push = np.zeros_like(start[0])
    for _ in range(steps):
        net.set_weights([start[0] + push, *start[1:]])
        slope = slopes(net, x, y)[0]
        push = push + step_size * slope / np.linalg.norm(slope)
        push = push * min(1, epsilon / np.linalg.norm(push))
    net.set_weights([start[0] + push, *start[1:]])
    expected = [left + right for left, right in zip(plain, slopes(net, x, y), strict=True)]
    net.set_weights(start)
    _, found, _ = compiled(net, [step]).compute_gradients(x, y)
    assert_all_close(dense_arrays(found), expected, rtol=1e-4, atol=1e-5)
    assert_all_close(net.get_weights(), start, rtol=0, atol=0)


def test_the_pushed_pass_draws_the_same_dropout_masks():
    x, y = texts()
    plain = dense_arrays(compiled(text_net(dropout=0.5), []).compute_gradients(x, y)[1])
    for step in (FGM(1e-7), FGM(1e-7, target="table"), PGD(1e-7)):
        found = dense_arrays(compiled(text_net(dropout=0.5), [step]).compute_gradients(x, y)[1])
        assert_all_close(found, [2 * slope for slope in plain], rtol=1e-3, atol=1e-5)


def test_a_push_makes_the_loss_grow():
    x, y = texts()
    net = text_net()
    words = net.get_layer("words")(x)
    clean = float(cross_entropy(y, rest_of(net, words)))
    one = float(cross_entropy(y, rest_of(net, words + push_of(net, x, y, 0.5, 0.5, 1))))
    assert one > clean + 0.01


def test_fgm_around_sharpness_adds_two_sharp_gradients():
    x, y = texts()
    net = text_net()
    push = push_of(net, x, y, 0.5, 0.5, 1)
    _, found, _ = compiled(net, [FGM(0.5), SharpnessAware(0.2)]).compute_gradients(x, y)
    start, expected = net.get_weights(), 0
    for shift in (0.0, push):
        first = pushed_gradients(net, x, y, shift)
        length = np.sqrt(sum(np.square(slope).sum() for slope in first))
        net.set_weights([w + 0.2 * g / length for w, g in zip(start, first, strict=True)])
        sharp = pushed_gradients(net, x, y, shift)
        expected = sharp if isinstance(expected, int) else [a + b for a, b in zip(expected, sharp, strict=True)]
        net.set_weights(start)
    assert_all_close(dense_arrays(found), expected, rtol=1e-4, atol=1e-5)


def test_a_frozen_embedding_is_pushed_at_its_output_and_refused_at_its_table():
    x, y = texts()
    net = text_net()
    net.get_layer("words").trainable = False
    expected = pushed_gradients(net, x, y, push_of(net, x, y, 0.5, 0.5, 1))
    plain = slopes(net, x, y)
    _, found, _ = compiled(net, [FGM(0.5)]).compute_gradients(x, y)
    assert_all_close(dense_arrays(found), [a + b for a, b in zip(plain, expected, strict=True)], rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match='Use target="output"'):
        compiled(net, [FGM(0.5, target="table")]).compute_gradients(x, y)


def test_layers_are_found_in_nested_and_composite_models():
    base = ut.backbones.Backbone(text_net())
    inputs = keras.Input((5,), dtype="int32", name="ids")
    model = keras.Model(inputs, keras.layers.Dense(3)(base(inputs)))
    x, y = texts()
    _, plain, _ = compiled(model, []).compute_gradients(x, y)
    _, found, _ = compiled(model, [FGM(1e-7)]).compute_gradients(x, y)
    doubled = [2 * slope for slope in dense_arrays(plain)]
    assert_all_close(dense_arrays(found), doubled, rtol=1e-3, atol=1e-5)
    assert "call" not in vars(model.get_layer("text").get_layer("words"))


def test_patterns_that_fit_nothing_are_refused():
    x, y = texts()
    with pytest.raises(ValueError, match="words"):
        compiled(text_net(), [FGM(0.5, layers="wordz")]).compute_gradients(x, y)
    inputs = keras.Input((2,))
    bare = compiled(keras.Model(inputs, keras.layers.Dense(3)(inputs)), [FGM(0.5)])
    with pytest.raises(ValueError, match="without embeddings"):
        bare.compute_gradients(np.zeros((2, 2), "float32"), np.zeros(2))
