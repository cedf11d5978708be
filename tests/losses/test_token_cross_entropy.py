import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut

CLASSES = 4
WEIGHTS = (0.5, 2.0, 1.0, 3.0)


def by_hand(labels, logits, *, smoothing=0.0, ignore=-1, class_weight=None, focal=0.0):
    """Sum of weighted losses and sum of weights, position by position, in float64."""
    total = weights = 0.0
    for label, row in zip(labels.reshape(-1), logits.reshape(-1, CLASSES).astype("float64"), strict=True):
        if label == ignore:
            continue
        probabilities = np.exp(row - row.max())
        probabilities /= probabilities.sum()
        target = (1 - smoothing) * np.eye(CLASSES)[label] + smoothing / CLASSES
        weight = 1.0 if class_weight is None else class_weight[label]
        total += weight * (1 - probabilities[label]) ** focal * -(target * np.log(probabilities)).sum()
        weights += weight
    return total, weights


def labels_and_logits(*positions, seed=0):
    random = np.random.default_rng(seed)
    return random.integers(-1, CLASSES, positions), random.normal(size=(*positions, CLASSES)).astype("float32")


@pytest.mark.parametrize("positions", [(6,), (3, 5), (2, 3, 4)])
def test_value_is_numpys_in_every_combination_and_rank(positions):
    labels, logits = labels_and_logits(*positions)
    for smoothing, ignore, class_weight, focal in itertools.product(
        [0.0, 0.2], [-1, 3], [None, WEIGHTS], [0.0, 0.5, 2.0]
    ):
        case = {"label_smoothing": smoothing, "class_weight": class_weight, "focal": focal, "ignore_class": ignore}
        known = np.maximum(labels, 0) if ignore == 3 else labels
        total, weight = by_hand(
            known, logits, smoothing=smoothing, ignore=ignore, class_weight=class_weight, focal=focal
        )
        value = ut.losses.TokenCrossEntropy(**case)(known, logits)
        np.testing.assert_allclose(value, total / weight, rtol=2e-5, err_msg=str(case))
        sums = ut.losses.TokenCrossEntropy(**case, reduction="sum").sums(known[..., None], logits)
        np.testing.assert_allclose(sums, (total, weight), rtol=2e-5, err_msg=str(case))


def test_gradient_with_focal_factor_is_that_of_finite_differences():
    labels, logits = labels_and_logits(2, 3)
    variable = tf.Variable(logits)
    loss = ut.losses.TokenCrossEntropy(focal=2.0, label_smoothing=0.1, class_weight=WEIGHTS)
    with tf.GradientTape() as tape:
        value = loss(labels, variable)
    slope = tape.gradient(value, variable).numpy()
    for place in np.ndindex(logits.shape):
        step = np.zeros(logits.shape)
        step[place] = 1e-5
        above, below = (
            by_hand(labels, logits + sign * step, smoothing=0.1, class_weight=WEIGHTS, focal=2.0) for sign in (1, -1)
        )
        np.testing.assert_allclose(slope[place], (above[0] - below[0]) / 2e-5 / above[1], atol=1e-5)


@pytest.mark.parametrize("focal", [0.5, 1.0, 2.0])
def test_gradient_is_finite_at_certainty(focal):
    variable = tf.Variable([[[200.0, 0.0], [0.0, 200.0]]])
    with tf.GradientTape() as tape:
        value = ut.losses.TokenCrossEntropy(focal=focal)(np.array([[0, 0]]), variable)
    slope = tape.gradient(value, variable).numpy()
    np.testing.assert_allclose(slope, [[[0, 0], [-0.5, 0.5]]], atol=1e-5)


def micro_batches():
    """Three batches of other lengths and other shares of ignored positions."""
    for seed, positions in enumerate([(2, 9), (4, 3), (1, 17)]):
        yield labels_and_logits(*positions, seed=seed)


@pytest.mark.parametrize("options", [{}, {"class_weight": WEIGHTS, "label_smoothing": 0.1, "focal": 1.0}])
def test_accumulated_micro_batches_equal_one_big_batch(options):
    loss = ut.losses.TokenCrossEntropy(**options)
    layer = keras.layers.Dense(CLASSES)
    layer.build((None, CLASSES))
    variables = [variable.value for variable in layer.trainable_variables]
    batches = list(micro_batches())
    gradients, weight = [tf.zeros_like(variable) for variable in variables], 0.0
    for labels, features in batches:
        with tf.GradientTape() as tape:
            total, share = loss.sums(labels, layer(features))
        gradients = [kept + new for kept, new in zip(gradients, tape.gradient(total, variables), strict=True)]
        weight += share
    labels = np.concatenate([batch[0].reshape(-1) for batch in batches])
    with tf.GradientTape() as tape:
        value = loss(labels, layer(np.concatenate([batch[1].reshape(-1, CLASSES) for batch in batches])))
    for accumulated, whole in zip(gradients, tape.gradient(value, variables), strict=True):
        np.testing.assert_allclose(accumulated / weight, whole, rtol=1e-4, atol=1e-6)


def test_padding_does_not_dilute_and_masks_count_in_sums():
    labels, logits = np.array([[1, 2]]), labels_and_logits(1, 2)[1]
    padded = np.array([[1, 2, -1, -1, -1]]), np.concatenate([logits, np.full((1, 3, CLASSES), 7, "float32")], axis=1)
    loss = ut.losses.TokenCrossEntropy()
    assert float(loss(*padded)) == pytest.approx(float(loss(labels, logits)), rel=1e-6)
    embedded = keras.layers.Embedding(9, CLASSES, mask_zero=True)(np.array([[1, 2, 0, 0]]))
    total, weight = ut.losses.TokenCrossEntropy(ignore_class=None).sums(np.array([[0, 1, 2, 3]]), embedded)
    assert float(weight) == 2
    expected = by_hand(np.array([0, 1]), embedded.numpy()[:, :2])[0]
    assert float(total) == pytest.approx(expected, rel=1e-5)


def test_probabilities_and_sample_weights():
    labels, logits = labels_and_logits(3, 4)
    weight = np.array([1.0, 0.0, 2.0], "float32")
    plain = ut.losses.TokenCrossEntropy(focal=2.0)(labels, logits, weight)
    given = ut.losses.TokenCrossEntropy(focal=2.0, from_logits=False)(labels, tf.nn.softmax(logits), weight)
    assert float(plain) == pytest.approx(float(given), rel=1e-5)
    rows = [by_hand(*pair, focal=2.0) for pair in zip(labels, logits, strict=True)]
    expected = (rows[0][0] + 2 * rows[2][0]) / (rows[0][1] + 2 * rows[2][1])
    assert float(plain) == pytest.approx(expected, rel=1e-5)


def test_trains_through_fit_under_xla():
    model = keras.Sequential([keras.Input((5, 3)), ut.heads.TokenTagger(CLASSES, dropout=0.0)])
    loss = ut.losses.TokenCrossEntropy(focal=1.0, label_smoothing=0.1)
    model.compile("adam", loss, jit_compile=True)
    labels, logits = labels_and_logits(8, 5)
    before = float(loss(labels, model(logits[..., :3])))
    model.fit(logits[..., :3], labels, batch_size=8, epochs=10, verbose=0)
    assert float(loss(labels, model(logits[..., :3]))) < before


def test_dense_labels_are_refused():
    with pytest.raises(ValueError, match="dense labels use CrossEntropy"):
        ut.losses.TokenCrossEntropy()(np.ones((2, 3, CLASSES)), np.ones((2, 3, CLASSES)))
    with pytest.raises(ValueError, match="focal=-1"):
        ut.losses.TokenCrossEntropy(focal=-1)
