import json
import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.signal import lfilter

import unitools as ut

RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.normal(size=(48, 6)).astype("float32")
LABELS = (INPUTS @ RANDOM.normal(size=(6, 3))).argmax(-1)


def batches():
    return tf.data.Dataset.from_tensor_slices((INPUTS, LABELS)).batch(8)


def optimizer(kind):
    if kind == "schedule":
        return keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(0.01, 40))
    if kind == "callable":
        return keras.optimizers.SGD(lambda: 0.05, momentum=0.9)
    if kind == "scaled":
        return keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05, momentum=0.9))
    return keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.5)


def classifier(kind="number", **options):
    """Return a model with dropout and batch norm, always from the same start."""
    keras.utils.set_random_seed(5)
    layers = [keras.layers.Dense(8), keras.layers.BatchNormalization(), keras.layers.Dropout(0.3, seed=2)]
    model = keras.Sequential([keras.Input((6,)), *layers, keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer(kind), loss, metrics=["accuracy"], **options)
    model.optimizer.build(model.trainable_variables)
    return model


def variables(model):
    """Return weights, seeds and optimizer, without the metrics, which an epoch resets."""
    counts = {id(variable) for variable in model.metrics_variables}
    return [variable for variable in (*model.variables, *model.optimizer.variables) if id(variable) not in counts]


def state(model):
    return [variable.numpy() for variable in variables(model)]


def expect_state(model, expected):
    for ours, theirs in zip(state(model), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("kind", ["number", "schedule", "callable", "scaled"])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_training_afterwards_is_as_if_it_had_not_run(kind, jit_compile):
    model, other = classifier(kind, jit_compile=jit_compile), classifier(kind, jit_compile=jit_compile)
    for one in (model, other):  # the middle of a training, in which optimizer and averages have a past
        one.fit(batches(), shuffle=False, verbose=0)
    random.seed(1), np.random.seed(1)
    expected = random.getstate(), np.random.get_state()[1].tolist()
    draw = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: (random.random(), np.random.normal()))
    finder = ut.callbacks.LearningRateFinder(1e-4, 10.0, steps=15, divergence=100.0)
    before = state(other)
    model.fit(batches(), shuffle=False, epochs=9, verbose=0, validation_data=batches(), callbacks=[finder, draw])
    assert len(finder.curve.losses) == 15
    assert (random.getstate(), np.random.get_state()[1].tolist()) == expected
    expect_state(model, before)
    histories = [one.fit(batches(), shuffle=False, epochs=3, verbose=0).history for one in (model, other)]
    assert histories[0] == histories[1]
    expect_state(model, state(other))


@pytest.mark.parametrize("kind", ["number", "schedule", "callable", "scaled"])
def test_each_step_is_taken_at_its_rate(kind):
    """A linear model's steps are computed in NumPy, each with the rate that the curve states."""
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(optimizer(kind), "mse")
    if kind in ("number", "schedule"):
        rate = 0.5 if kind == "number" else keras.optimizers.schedules.CosineDecay(0.01, 40)
        model.compile(keras.optimizers.SGD(rate), "mse")
    targets = INPUTS.sum(1, keepdims=True)
    finder = ut.callbacks.LearningRateFinder(1e-3, 0.3, steps=12, divergence=1e9, smoothing=0.5)
    data = tf.data.Dataset.from_tensor_slices((INPUTS, targets)).batch(8)
    curve = ut.callbacks.find_learning_rate(model, data, finder=finder)
    rates = 1e-3 * 300.0 ** (np.arange(12) / 11)
    np.testing.assert_allclose(curve.rates, rates)
    weights, velocity, losses = np.zeros((6, 1)), 0.0, []
    momentum = 0.9 if kind in ("callable", "scaled") else 0.0
    for step, rate in enumerate(rates):
        x, y = INPUTS[(8 * step) % 48 :][:8], targets[(8 * step) % 48 :][:8]
        losses.append(np.mean((x @ weights - y) ** 2))
        velocity = momentum * velocity - rate * 2 * x.T @ (x @ weights - y) / 8
        weights = weights + velocity
    np.testing.assert_allclose(curve.losses, losses, rtol=1e-4)
    weighted = lfilter([1], [1, -0.5], losses) / lfilter([1], [1, -0.5], np.ones(12))
    np.testing.assert_allclose(curve.smoothed, weighted, rtol=1e-4)


def test_it_stops_where_the_loss_diverges():
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse")
    finder = ut.callbacks.LearningRateFinder(1e-3, 1e3, steps=60, smoothing=0.0, divergence=3.0)
    curve = ut.callbacks.find_learning_rate(model, (INPUTS, INPUTS.sum(1)), finder=finder, batch_size=16)
    assert 5 < len(curve.losses) < 60
    assert curve.losses[-1] > 3 * min(curve.losses)
    running = np.minimum.accumulate(curve.losses)
    assert np.all(np.asarray(curve.losses[:-1]) <= 3 * running[:-1])
    # Plain descent on a square is stable below 2 / the largest curvature.
    curvature = np.linalg.eigvalsh(2 * INPUTS.T @ INPUTS / len(INPUTS)).max()
    assert curve.suggestion < 2 / curvature < curve.rates[-1]


def test_a_loss_that_is_not_finite_ends_the_test_and_is_no_point():
    inputs = np.where(np.arange(40)[:, None] < 32, INPUTS[:40], np.nan).astype("float32")
    model = classifier()
    before = state(model)
    finder = ut.callbacks.LearningRateFinder(steps=20)
    data = tf.data.Dataset.from_tensor_slices((inputs, LABELS[:40])).batch(8)
    curve = ut.callbacks.find_learning_rate(model, data, finder=finder)
    assert len(curve.losses) == 4 and np.all(np.isfinite(curve.losses))
    expect_state(model, before)


def test_a_first_loss_that_is_not_finite_is_told_and_the_model_stays_as_it_was():
    model = classifier("schedule")
    before, schedule = state(model), model.optimizer._learning_rate
    with pytest.raises(ValueError, match="finite at the first learning rate. Received low=1e-07"):
        ut.callbacks.find_learning_rate(model, (INPUTS * np.nan, LABELS))
    expect_state(model, before)
    assert model.optimizer._learning_rate is schedule


def test_an_error_in_the_data_leaves_the_model_as_it_was():
    def rows():
        for place in range(5):
            if place == 4:
                raise RuntimeError("torn file")
            yield INPUTS[:8], LABELS[:8]

    signature = (tf.TensorSpec((8, 6)), tf.TensorSpec((8,), "int64"))
    model = classifier("schedule")
    before, schedule = state(model), model.optimizer._learning_rate
    with pytest.raises(Exception, match="torn file"):
        ut.callbacks.find_learning_rate(model, tf.data.Dataset.from_generator(rows, output_signature=signature))
    expect_state(model, before)
    assert model.optimizer._learning_rate is schedule


def test_a_fit_that_is_too_short_says_so():
    finder = ut.callbacks.LearningRateFinder(steps=10)
    with pytest.warns(UserWarning, match="after 6 of the 10 steps"):
        classifier().fit(batches(), shuffle=False, verbose=0, callbacks=[finder])
    assert len(finder.curve.rates) == 6


def test_a_model_that_logs_no_loss_is_told():
    class Silent(keras.Model):
        def train_step(self, data):
            return {"seen": tf.constant(1.0)}

    model = Silent()
    model.compile("sgd")
    with pytest.raises(ValueError, match="`loss` must be among what the model logs, 'seen'"):
        model.fit(batches(), shuffle=False, verbose=0, callbacks=[ut.callbacks.LearningRateFinder()])


def test_a_test_cut_in_the_middle_goes_on_from_its_state(tmp_path):
    """Variables, get_state and get_arrays at step 4 are all that the second process is given."""
    settings = {"low": 1e-3, "high": 1.0, "steps": 10}
    whole = ut.callbacks.LearningRateFinder(**settings)
    model = classifier()
    start = state(model)
    model.fit(batches(), shuffle=False, epochs=2, verbose=0, callbacks=[whole])

    kept = {}

    class Cut(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 3:
                kept.update(values=state(self.model), state=json.dumps(finder.get_state()), arrays=finder.get_arrays())
                raise KeyboardInterrupt

    finder, cut = ut.callbacks.LearningRateFinder(**settings), classifier()
    with pytest.raises(KeyboardInterrupt):
        cut.fit(batches(), shuffle=False, verbose=0, callbacks=[finder, Cut()])
    again, other = ut.callbacks.LearningRateFinder(**settings), classifier()

    class Resume(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            for variable, value in zip(variables(self.model), kept["values"], strict=True):
                variable.assign(value)
            again.set_state(json.loads(kept["state"]))
            again.set_arrays(kept["arrays"])

    rest = tf.data.Dataset.from_tensor_slices((np.roll(INPUTS, -32, 0), np.roll(LABELS, -32))).batch(8)
    other.fit(rest, shuffle=False, epochs=1, verbose=0, callbacks=[again, Resume()])
    assert again.curve.losses == pytest.approx(whole.curve.losses) and len(again.curve.losses) == 10
    expect_state(other, start)


def test_the_longest_fall_by_brute_force():
    for seed in range(30):
        losses = np.random.default_rng(seed).normal(size=9)
        curve = ut.callbacks.LearningRateCurve(10.0 ** np.arange(9), losses, 0.0)
        if losses.argmin() == 0:
            assert curve.suggestion is None
            continue
        places = range(losses.argmin() + 1)
        falls = []
        for mask in range(1, 2 ** len(places)):
            chosen = [place for place in places if mask >> place & 1]
            if np.all(np.diff(losses[chosen]) < 0):
                falls.append(chosen)
        longest = max(map(len, falls))
        halves = {round((chosen[0] + chosen[-1]) / 2, 6) for chosen in falls if len(chosen) == longest}
        assert round(np.log10(curve.suggestion), 6) in halves


def test_the_steepest_place_of_a_known_curve():
    rates = np.geomspace(1e-5, 1, 101)
    losses = 2 - np.tanh(np.log10(rates) + 3)  # steepest at 1e-3
    curve = ut.callbacks.LearningRateCurve(rates, losses, 0.0, "steepest")
    assert curve.suggestion == pytest.approx(1e-3, rel=0.13)
    rising = ut.callbacks.LearningRateCurve(rates, 2 + np.log10(rates), 0.0, "steepest")
    assert rising.suggestion is None


def test_the_picture_is_saved(tmp_path):
    finder = ut.callbacks.LearningRateFinder(1e-3, 1.0, steps=5, picture=tmp_path / "rates.png")
    ut.callbacks.find_learning_rate(classifier(), batches(), finder=finder)
    assert (tmp_path / "rates.png").read_bytes().startswith(b"\x89PNG")
    assert [entry.name for entry in tmp_path.iterdir()] == ["rates.png"]


@pytest.mark.parametrize(
    ("rates", "losses", "message"), [([], [], "losses=0"), ([1.0], [1.0, 2.0], "losses=2. Run longer")]
)
def test_bad_curves_are_named(rates, losses, message):
    with pytest.raises(ValueError, match=message):
        ut.callbacks.LearningRateCurve(rates, losses)


def test_a_model_that_is_not_compiled_is_told():
    with pytest.raises(ValueError, match="`model` must be compiled"):
        ut.callbacks.find_learning_rate(keras.Sequential([keras.Input((6,))]), batches())


def test_batches_with_a_position_are_put_back_to_it(tmp_path):
    """The next epoch of a picture folder holds the batches that it would have held without the test."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for place in range(6):
            keras.utils.save_img(tmp_path / name / f"{place}.png", RANDOM.integers(0, 255, (8, 8, 3)), scale=False)
    folder = ut.data.ImageFolder(tmp_path, image_size=(8, 8))
    data, untouched = (folder.batches(4, seed=3) for _ in range(2))
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    model.compile("sgd", keras.losses.CategoricalCrossentropy(from_logits=True))
    assert len([*data]) == len([*untouched]) == 3
    finder = ut.callbacks.LearningRateFinder(1e-9, 1e-7, steps=5)
    assert len(ut.callbacks.find_learning_rate(model, data, finder=finder).losses) == 5
    for ours, theirs in zip([*data, *data], [*untouched, *untouched], strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
