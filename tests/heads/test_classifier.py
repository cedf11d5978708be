import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut


def softmax(values, axis=-1):
    powers = np.exp(values - values.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def features(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def pooled_by_hand(kind, sequence, mask, vector):
    """Pool one sequence (positions, channels) position by position."""
    kept = sequence[mask]
    if not len(kept):
        return np.zeros(sequence.shape[-1])
    if kind == "max":
        return kept.max(0)
    weights = softmax(kept @ vector) if kind == "attention" else np.full(len(kept), 1 / len(kept))
    return weights @ kept


def pooled(head, inputs, mask=None):
    """What reaches the output layer, set to the identity."""
    head.build(inputs.shape)
    width = inputs.shape[-1]
    if head.pooling == "attention":
        head._scores.set_weights([np.linspace(-1, 1, width)[:, None]])
    head._output.set_weights([np.eye(width), np.zeros(width)])
    return head(inputs, mask=mask).numpy()


@pytest.mark.parametrize("kind", ["avg", "max", "attention"])
@pytest.mark.parametrize("shape", [(3, 6, 4), (3, 2, 3, 4)], ids=["sequence", "map"])
def test_pooling_follows_its_definition(kind, shape):
    inputs = features(*shape)
    got = pooled(ut.heads.Classifier(4, pooling=kind, activation=None), inputs)
    flat = inputs.reshape(3, 6, 4)
    expected = [pooled_by_hand(kind, row, np.full(6, True), np.linspace(-1, 1, 4)) for row in flat]
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["avg", "max", "attention"])
def test_masked_positions_do_not_count_whatever_they_hold(kind):
    inputs = features(3, 6, 4)
    mask = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]], bool)
    expected = [pooled_by_hand(kind, *row, np.linspace(-1, 1, 4)) for row in zip(inputs, mask, strict=True)]
    inputs[~mask] = np.nan
    got = pooled(ut.heads.Classifier(4, pooling=kind, activation=None), inputs, mask)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["avg", "max", "attention"])
def test_gradients_stay_finite_beside_masked_nan(kind):
    inputs = features(1, 3, 4)
    inputs[:, 2] = np.nan
    variable = tf.Variable(inputs)
    head = ut.heads.Classifier(2, pooling=kind)
    with tf.GradientTape() as tape:
        loss = head(variable, mask=np.array([[True, True, False]]))[0, 0]
    slope = tape.gradient(loss, variable).numpy()
    assert np.isfinite(slope[:, :2]).all()
    np.testing.assert_array_equal(slope[:, 2], 0)


def test_keras_mask_arrives_by_itself_and_is_used_up():
    tokens = keras.Input((None,), dtype="int32")
    embedded = keras.layers.Embedding(9, 4, mask_zero=True)(tokens)
    model = keras.Model(tokens, ut.heads.Classifier(3)(embedded))
    short, padded = model(np.array([[4, 5]])), model(np.array([[4, 5, 0, 0]]))
    np.testing.assert_allclose(short, padded, rtol=1e-6)
    assert model.output_shape == (None, 3)


def test_attention_starts_as_the_mean():
    inputs = features(2, 5, 3)
    plain, learned = ut.heads.Classifier(3), ut.heads.Classifier(3, pooling="attention")
    plain.build(inputs.shape)
    learned.build(inputs.shape)
    learned._output.set_weights(plain._output.get_weights())
    np.testing.assert_allclose(learned(inputs), plain(inputs), rtol=1e-5)


def test_hidden_layer_and_output_against_numpy():
    inputs = features(4, 5)
    head = ut.heads.Classifier(3, hidden_units=7, dropout=0.4)
    head.build(inputs.shape)
    kernel, bias, last_kernel, last_bias = head.get_weights()
    expected = softmax(np.maximum(inputs @ kernel + bias, 0) @ last_kernel + last_bias)
    np.testing.assert_allclose(head(inputs), expected, rtol=1e-5)


def test_without_pooling_every_position_is_classified():
    inputs = features(2, 5, 3)
    head = ut.heads.Classifier(4, pooling=None)
    whole = head(inputs)
    assert tuple(whole.shape) == (2, 5, 4)
    np.testing.assert_allclose(whole[:, 2], head(inputs[:, 2]), rtol=1e-6)
    assert head(features(2, 3, 3, 3)).shape == (2, 3, 3, 4)


@pytest.mark.parametrize(
    ("num_classes", "activation", "expected"),
    [(1, "auto", "sigmoid"), (2, "auto", "softmax"), (5, "sigmoid", "sigmoid"), (5, None, "linear")],
)
def test_output_activation(num_classes, activation, expected):
    head = ut.heads.Classifier(num_classes, activation=activation)
    assert head.output_activation is getattr(keras.activations, expected)
    assert head.activation == activation


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_probabilities_are_float32_under_mixed_precision(policy):
    head = ut.heads.Classifier(3, hidden_units=4, pooling="attention", dtype=policy)
    model = keras.Sequential([keras.Input((4, 4, 2)), head])
    assert model.outputs[0].dtype == "float32"
    probabilities = model.predict(features(2, 4, 4, 2), verbose=0)
    assert probabilities.dtype == "float32"
    np.testing.assert_allclose(probabilities.sum(-1), 1, atol=1e-6)
    assert head._hidden.compute_dtype == policy.removeprefix("mixed_")


def test_average_of_many_positions_does_not_overflow_float16():
    head = ut.heads.Classifier(1, activation=None, dtype="mixed_float16")
    head.build((1, 40000, 1))
    head.set_weights([np.ones((1, 1)), np.zeros(1)])
    assert float(head(np.full((1, 40000, 1), 2.0, "float16"))[0, 0]) == 2.0


def test_dynamic_shapes_in_a_graph():
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, ut.heads.Classifier(2, pooling="attention")(inputs))
    for size in (2, 5):
        image = features(1, size, size, 3)
        np.testing.assert_allclose(model(image), model.predict(image, verbose=0), rtol=1e-5)


def test_dropout_acts_in_training_only_and_follows_the_seed():
    inputs = features(8, 6)
    one, same, other = (ut.heads.Classifier(3, dropout=0.5, seed=seed) for seed in (1, 1, 2))
    for head in (one, same, other):
        head.build(inputs.shape)
        head.set_weights(one.get_weights())
    first = one(inputs, training=True).numpy()
    np.testing.assert_array_equal(first, same(inputs, training=True))
    assert not np.allclose(first, other(inputs, training=True))
    assert not np.allclose(first, one(inputs, training=False))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "num_classes=0"),
        ({"num_classes": 3, "hidden_units": 0}, "hidden_units=0"),
        ({"num_classes": 3, "dropout": 1.0}, "dropout=1.0"),
        ({"num_classes": 3, "pooling": "sum"}, "pooling='sum'"),
        ({"num_classes": 3, "activation": "softmux"}, "activation='softmux'"),
        ({"num_classes": 1, "activation": "softmax"}, "always 1"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ut.heads.Classifier(**arguments)


def test_inputs_without_channels():
    with pytest.raises(ValueError, match="known number of channels"):
        ut.heads.Classifier(3).build((None, 4, None))
