import json

import keras
import numpy as np
import pytest

import unitools as ut
from unitools.callbacks import TrainingDivergedError

NAN = float("nan")


def slopes(optimizer=None, loss=None, **options):
    """Return a model with one weight, 0 at first, whose loss is the prediction: its gradient is the input."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(optimizer or keras.optimizers.SGD(0.5), loss or (lambda y, p: p), **options)
    return model


def fit(model, guard, values, epochs=1, callbacks=(), **options):
    column = np.array(values, "float32")[:, None]
    options = {"batch_size": 1, "shuffle": False, "verbose": 0, "callbacks": [guard, *callbacks], **options}
    return model.fit(column, column, epochs=epochs, **options).history


def weight(model):
    return model.get_weights()[0].item()


def reference(values, epochs, every, factor, rate=0.5):
    """Train by hand by the rule: weight, rate, mean loss of each epoch, and the steps that went back."""
    w, step, returned, means = 0.0, 0, [], []
    good = (0.0, None, (0.0, 0))
    for epoch in range(epochs):
        total, count = 0.0, 0
        for x in values:
            total, count = total + w * x, count + 1
            w -= rate * x
            step += 1
            if not np.isfinite(total) or (step % every == 0 and not np.isfinite(w)):
                w = good[0]
                total, count = good[2] if good[1] == epoch else (0.0, 0)
                rate *= factor
                returned.append(step)
            elif step % every == 0:
                good = (w, epoch, (total, count))
        means.append(total / count if count else 0.0)
    return w, rate, means, returned


@pytest.mark.parametrize("every", [1, 2, 3, 7])
@pytest.mark.parametrize(
    "values", [[1, 2, NAN, 3, 1], [NAN, 1, 2, 3], [1, 2, 3, np.inf], [1, NAN, -np.inf, 2], [1, 2, 3]]
)
@pytest.mark.parametrize("kind", ["number", "schedule"])
def test_goes_back_by_the_rule(every, values, kind, capsys):
    rate = 0.5 if kind == "number" else ut.training.WarmupDecay(0.5, decay=None)
    model, guard = slopes(keras.optimizers.SGD(rate)), ut.callbacks.NanGuard(every=every, max_returns=9, factor=0.25)
    history = fit(model, guard, values, epochs=3)
    w, final_rate, means, returned = reference(values, 3, every, 0.25)
    assert weight(model) == pytest.approx(w, rel=1e-5)
    assert float(model.optimizer.learning_rate) == pytest.approx(final_rate)
    np.testing.assert_allclose(history["loss"], means, rtol=1e-5)
    lines = capsys.readouterr().out.splitlines()
    assert [int(line.partition("at step ")[2].split()[0]) for line in lines] == returned
    assert guard.num_returns == len(returned)


def test_says_what_it_did(capsys):
    fit(slopes(), ut.callbacks.NanGuard(every=2), [1, 1, 1, NAN])
    text = "NanGuard: loss is nan at step 4 (epoch 1); back to step 2, learning rate now 0.25, return 1 of 3\n"
    assert capsys.readouterr().out == text


def test_a_weight_that_is_nan_under_a_finite_loss_is_never_kept(capsys):
    def root(y, p):  # at 0 the loss is 0 and the gradient infinite times 0
        return keras.ops.sqrt(keras.ops.abs(p))

    model, guard = slopes(loss=root), ut.callbacks.NanGuard(every=2)
    model.set_weights([np.full((1, 1), 4.0)])
    fit(model, guard, [1, 1, 1, 0])
    assert "is not finite at step 4 (epoch 1); back to step 2, learning rate now 0.25" in capsys.readouterr().out
    w = 4.0
    for _ in range(2):
        w -= 0.5 * 0.5 / np.sqrt(w)
    assert weight(model) == pytest.approx(w, rel=1e-6)


@pytest.mark.parametrize("validated", [False, True])
def test_the_last_step_of_an_epoch_is_looked_at_though_no_loss_follows(validated):
    def root(y, p):
        return keras.ops.sqrt(keras.ops.abs(p))

    model, guard = slopes(loss=root), ut.callbacks.NanGuard(every=2)
    model.set_weights([np.full((1, 1), 4.0)])
    options = {"validation_data": (np.ones((1, 1)), np.ones((1, 1)))} if validated else {}
    history = fit(model, guard, [1, 1, 0], **options)
    w = 4.0
    for _ in range(2):
        w -= 0.5 * 0.5 / np.sqrt(w)
    assert weight(model) == pytest.approx(w, rel=1e-6)
    assert guard.num_returns == 1
    assert history.get("val_loss", [np.sqrt(w)]) == pytest.approx([np.sqrt(w)], rel=1e-6)


def test_a_step_is_not_gone_back_from_twice():
    model, guard = slopes(), ut.callbacks.NanGuard(every=2, check_every=2)
    fit(model, guard, [1, 1, NAN], validation_data=(np.ones((1, 1)), np.ones((1, 1))))
    assert (weight(model), guard.num_returns) == (-1.0, 1)


def test_an_evaluation_by_itself_is_left_alone():
    model, guard = slopes(), ut.callbacks.NanGuard(every=1)
    fit(model, guard, [1, 1])
    model.set_weights([np.full((1, 1), np.nan)])
    model.evaluate(np.ones((1, 1)), np.ones((1, 1)), verbose=0, callbacks=[guard])
    assert np.isnan(weight(model))


@pytest.mark.parametrize("jit", [False, True])
def test_everything_goes_back(jit):
    inputs = keras.Input((2,))
    hidden = keras.layers.BatchNormalization()(keras.layers.Dense(4)(inputs))
    outputs = keras.layers.Dense(1)(keras.layers.Dropout(0.5, seed=1)(hidden))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"], jit_compile=jit)
    values = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")
    values[5] = np.nan
    noted = {}

    class Note(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            kinds = {
                "model": model.variables,
                "optimizer": model.optimizer.variables,
                "metric": model.metrics_variables,
            }
            noted[batch] = {kind: [v.numpy() for v in variables] for kind, variables in kinds.items()}

    options = {"batch_size": 1, "shuffle": False, "verbose": 0}
    model.fit(values, values[:, :1], callbacks=[ut.callbacks.NanGuard(every=2), Note()], **options)
    for kind in ("model", "optimizer", "metric"):
        for position, (before, after) in enumerate(zip(noted[3][kind], noted[5][kind], strict=True)):
            is_rate = kind == "optimizer" and model.optimizer.variables[position].path.endswith("learning_rate")
            np.testing.assert_array_equal(after, before / 2 if is_rate else before)
    assert not any(np.array_equal(a, b) for a, b in zip(noted[3]["metric"], noted[4]["metric"], strict=True))
    assert all(np.isfinite(v).all() for v in noted[7]["model"])


def test_gives_up_in_the_last_good_state():
    model, guard = slopes(), ut.callbacks.NanGuard(every=1, max_returns=2)
    with pytest.raises(TrainingDivergedError, match=r"loss is nan at step 5 \(epoch 1\), after 2 returns.* of step 2"):
        fit(model, guard, [1, 1, NAN, NAN, NAN, 1])
    assert weight(model) == -1.0


@pytest.mark.parametrize("check_every", [2, 3, 5])
def test_a_rarer_look_misses_nothing(check_every):
    model, guard = slopes(), ut.callbacks.NanGuard(every=100, check_every=check_every)
    history = fit(model, guard, [1, 1, 1, 1, NAN, 1, 1], epochs=2, callbacks=[])
    assert guard.num_returns == 2
    assert np.isfinite(weight(model))
    assert np.isfinite(history["loss"][1]) or check_every == 5


def test_a_second_fit_counts_anew():
    model, guard = slopes(), ut.callbacks.NanGuard(every=1, max_returns=1)
    for _ in range(2):
        fit(model, guard, [1, NAN, 1])
        assert guard.num_returns == 1
    assert float(model.optimizer.learning_rate) == 0.125


def test_a_model_without_weights_yet_is_watched_from_its_first_step():
    model = keras.Sequential([keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.5), lambda y, p: p)
    fit(model, ut.callbacks.NanGuard(every=10), [1, 1, NAN])
    assert weight(model) == -0.5
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(TrainingDivergedError, match="at step 1 .*the first one"):
        fit(model, ut.callbacks.NanGuard(), [NAN, 1])


def test_logs_without_a_loss_are_an_error():
    class Silent(keras.Model):
        def train_step(self, data):
            return {"mae": 1.0}

    inputs = keras.Input((1,))
    model = Silent(inputs, keras.layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="must hold a 'loss'. Received 'mae'"):
        fit(model, ut.callbacks.NanGuard(), [1.0])


@pytest.mark.parametrize("cut", range(1, 11))
@pytest.mark.parametrize("every", [2, 3])
def test_goes_on_after_any_step(cut, every):
    """Steps of one epoch, cut in two fits: only what the state says may carry over."""
    values = [1, 2, NAN, 1, 3, NAN, NAN, 1, 2, 1, 1, 2]

    def run(part, stored=None):
        model, guard = (
            slopes(keras.optimizers.SGD(0.5, momentum=0.5)),
            ut.callbacks.NanGuard(every=every, max_returns=9),
        )

        class GoOn(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                if stored:
                    guard.set_state(stored[0])
                    guard.set_arrays(stored[1])
                    variables = model.weights + model.optimizer.variables + model.metrics_variables
                    for variable, value in zip(variables, stored[2], strict=True):
                        variable.assign(value)

        if stored:
            model.predict(np.ones((1, 1)), verbose=0)
            model.evaluate(np.ones((1, 1)), np.ones((1, 1)), verbose=0)
        fit(model, guard, part, callbacks=[GoOn()])
        variables = [v.numpy() for v in model.weights + model.optimizer.variables + model.metrics_variables]
        return json.loads(json.dumps(guard.get_state())), guard.get_arrays(), variables

    whole, resumed = run(values), run(values[cut:], run(values[:cut]))
    assert resumed[0] == whole[0]
    assert set(resumed[1]) == set(whole[1])
    for key, value in whole[1].items():
        np.testing.assert_array_equal(resumed[1][key], value)
    for left, right in zip(whole[2], resumed[2], strict=True):
        np.testing.assert_array_equal(left, right)
