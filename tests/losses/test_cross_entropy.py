import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut

CLASSES = 4
IGNORED = 3


def one_hot(labels):
    return np.eye(CLASSES)[labels]


def closed_form(dense, probabilities, *, smoothing=0.0, ignore=None, class_weight=None, sample_weight=None):
    """The docstring's formula in float64, and its gradient by the logits: w (p sum(y') - y') / sum(w)."""
    weight = np.ones(dense.shape[:-1])
    if ignore is not None:
        weight = weight * (np.delete(dense, ignore, axis=-1).sum(-1) > 0)
    if class_weight is not None:
        weight = weight * (dense @ np.asarray(class_weight))
    if sample_weight is not None:
        weight = weight * sample_weight
    smoothed = (1 - smoothing) * dense + smoothing / CLASSES
    loss = -(smoothed * np.log(probabilities)).sum(-1)
    total = weight.sum()
    gradient = weight[..., None] * (probabilities * smoothed.sum(-1, keepdims=True) - smoothed)
    return (loss * weight).sum() / total, gradient / total


def softmax(logits):
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


CASES = list(
    itertools.product(
        [(6,), (3, 5)],
        ["sparse", "column", "dense", "soft"],
        [True, False],
        [0.0, 0.2],
        [None, IGNORED],
        [False, True],
        [False, True],
    )
)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "xla"])
def test_value_and_gradient_follow_the_closed_form_in_every_combination(compiled):
    random = np.random.default_rng(0)
    # Many small XLA compilations would take minutes: there every ninth, which meets each value of each axis.
    for positions, kind, from_logits, smoothing, ignore, weighted, sampled in CASES[:: 9 if compiled else 1]:
        labels = random.integers(0, CLASSES, positions)
        labels.flat[:2] = [0, IGNORED]
        dense = random.dirichlet(np.ones(CLASSES), positions) if kind == "soft" else one_hot(labels)
        y_true = {"sparse": labels, "column": labels[..., None]}.get(kind, dense)
        logits = random.normal(size=(*positions, CLASSES))
        class_weight = [0.5, 2.0, 1.0, 3.0] if weighted else None
        sample_weight = random.uniform(size=positions) if sampled else None
        expected, gradient = closed_form(
            dense,
            softmax(logits),
            smoothing=smoothing,
            ignore=ignore,
            class_weight=class_weight,
            sample_weight=sample_weight,
        )
        loss = ut.losses.CrossEntropy(
            from_logits=from_logits, label_smoothing=smoothing, ignore_class=ignore, class_weight=class_weight
        )

        def value_and_gradient(z, loss=loss, y_true=y_true, sample_weight=sample_weight):
            with tf.GradientTape() as tape:
                tape.watch(z)
                value = loss(y_true, z if loss.from_logits else tf.nn.softmax(z), sample_weight)
            return value, tape.gradient(value, z)

        run = tf.function(value_and_gradient, jit_compile=True) if compiled else value_and_gradient
        value, slope = run(tf.constant(logits, "float32"))
        case = (positions, kind, from_logits, smoothing, ignore, weighted, sampled)
        np.testing.assert_allclose(value, expected, rtol=2e-5, err_msg=str(case))
        np.testing.assert_allclose(slope, gradient, atol=2e-6, err_msg=str(case))


def test_ignored_positions_do_not_dilute_the_mean():
    probabilities = np.array([[[0.7, 0.2, 0.05, 0.05]] * 2 + [[0.25] * 4] * 6])
    labels = np.array([[0, 1] + [-1] * 6])
    expected = -(np.log(0.7) + np.log(0.2)) / 2
    assert float(ut.losses.CrossEntropy(ignore_class=-1)(labels, probabilities)) == pytest.approx(expected, rel=1e-5)
    dense = np.where(labels[..., None] == np.arange(CLASSES), 1.0, 0.0)  # one-hot makes zeros of -1
    assert float(ut.losses.CrossEntropy(ignore_class=-1)(dense, probabilities)) == pytest.approx(expected, rel=1e-5)


def test_what_an_ignored_position_predicts_changes_nothing():
    labels = np.array([0, -1])
    loss = ut.losses.CrossEntropy(from_logits=True, ignore_class=-1, label_smoothing=0.1, class_weight=[1, 2, 3, 4])
    one = loss(labels, np.array([[1.0, 0, 0, 0], [0, 0, 0, 0]]))
    other = loss(labels, np.array([[1.0, 0, 0, 0], [9, -9, 30, 1]]))
    assert float(one) == float(other)


def test_all_ignored_gives_zero_and_no_gradient():
    logits = tf.Variable([[1.0, 2.0, 3.0, 4.0]])
    with tf.GradientTape() as tape:
        value = ut.losses.CrossEntropy(from_logits=True, ignore_class=255)(np.array([255]), logits)
    assert float(value) == 0
    np.testing.assert_array_equal(tape.gradient(value, logits), np.zeros((1, 4)))


def test_a_weight_an_example_counts_for_each_of_its_positions():
    probabilities = softmax(np.random.default_rng(1).normal(size=(2, 3, CLASSES)))
    labels = np.array([[0, 1, 2], [1, 2, 2]])
    expected, _ = closed_form(one_hot(labels), probabilities, sample_weight=np.array([[3.0], [1.0]]) * np.ones((2, 3)))
    for weight in ([3.0, 1.0], [[3.0], [1.0]]):
        value = ut.losses.CrossEntropy()(labels, probabilities, sample_weight=np.array(weight))
        assert float(value) == pytest.approx(expected, rel=1e-5)


def test_keras_mask_on_the_predictions_is_honoured():
    embedding = keras.layers.Embedding(9, CLASSES, mask_zero=True)
    predictions = keras.layers.Activation("softmax")(embedding(np.array([[1, 2, 0, 0]])))
    labels = np.array([[0, 1, 2, 3]])
    expected, _ = closed_form(one_hot(labels[:, :2]), predictions.numpy()[:, :2])
    assert float(ut.losses.CrossEntropy()(labels, predictions)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("reduction", ["sum", None])
def test_other_reductions(reduction):
    probabilities = softmax(np.random.default_rng(2).normal(size=(2, CLASSES)))
    terms = -np.log(probabilities[[0, 1], [1, 2]]) * [2.0, 5.0]
    loss = ut.losses.CrossEntropy(class_weight=[1, 2, 5, 1], reduction=reduction)
    np.testing.assert_allclose(loss(np.array([1, 2]), probabilities), terms.sum() if reduction else terms, rtol=1e-5)


def test_probabilities_of_a_saturated_softmax_keep_their_gradient():
    logits = tf.Variable([[60.0, 0.0, 0.0, 0.0]])
    with tf.GradientTape() as tape:
        value = ut.losses.CrossEntropy()(np.array([1]), keras.activations.softmax(logits))
    assert float(value) == pytest.approx(60.0)
    np.testing.assert_allclose(tape.gradient(value, logits), [[1.0, -1.0, 0.0, 0.0]], atol=1e-6)


def test_agrees_with_keras_where_keras_has_it():
    random = np.random.default_rng(3)
    logits, labels = random.normal(size=(8, CLASSES)), random.integers(0, CLASSES, 8)
    sparse = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    smooth = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.3)(one_hot(labels), logits)
    assert float(ut.losses.CrossEntropy(from_logits=True)(labels, logits)) == pytest.approx(float(sparse), rel=1e-5)
    ours = ut.losses.CrossEntropy(from_logits=True, label_smoothing=0.3)(labels, logits)
    assert float(ours) == pytest.approx(float(smooth), rel=1e-5)


def test_half_precision_predictions_are_computed_in_float32():
    logits = tf.constant([[3.0, 1.0, 0.0, -2.0]], "float16")
    value = ut.losses.CrossEntropy(from_logits=True)(np.array([1]), logits)
    assert value.dtype == "float32"
    assert float(value) == pytest.approx(-np.log(softmax(np.array([3.0, 1, 0, -2]))[1]), rel=1e-4)


def test_trains_through_fit_under_xla():
    model = keras.Sequential([keras.Input((5, 2)), keras.layers.Dense(CLASSES)])
    loss = ut.losses.CrossEntropy(from_logits=True, ignore_class=-1, label_smoothing=0.1, class_weight=[1, 2, 1, 1])
    model.compile("sgd", loss, jit_compile=True)
    random = np.random.default_rng(4)
    inputs, labels = random.normal(size=(8, 5, 2)), random.integers(-1, CLASSES, (8, 5))
    before = float(loss(labels, model(inputs)))
    model.fit(inputs, labels, batch_size=8, epochs=5, verbose=0)
    assert float(loss(labels, model(inputs))) < before


def test_class_weight_by_class_and_its_errors():
    assert ut.losses.CrossEntropy(class_weight={1: 3, 0: 0.5}).class_weight == (0.5, 3.0)
    assert ut.losses.CrossEntropy(class_weight=np.array([1.0, 2.0])).class_weight == (1.0, 2.0)
    for wrong in ({0: 1, 2: 1}, [1, -1], [1.0], 3, "ab"):
        with pytest.raises(ValueError, match="class_weight"):
            ut.losses.CrossEntropy(class_weight=wrong)


@pytest.mark.parametrize(
    ("loss", "labels", "predictions", "message"),
    [
        ({}, np.zeros((2, 3)), np.ones((2, 4)) / 4, "y_true"),
        ({}, np.zeros((2, 3, 4)), np.ones((2, 4)) / 4, "y_true"),
        ({}, np.zeros(2), np.ones((2, 1)), "BinaryCrossentropy"),
        ({"class_weight": [1, 2, 3]}, np.zeros(2), np.ones((2, 4)) / 4, "one weight for each of the 4 classes"),
    ],
)
def test_shapes_that_do_not_agree(loss, labels, predictions, message):
    with pytest.raises(ValueError, match=message):
        ut.losses.CrossEntropy(**loss)(labels, predictions)


def test_reductions_that_would_count_ignored_positions_are_refused():
    with pytest.raises(ValueError, match="reduction"):
        ut.losses.CrossEntropy(reduction="sum_over_batch_size")
