import json

import keras
import numpy as np
import pytest

import unitools as ut
from tests.callbacks.scripted_scores import NumberEpochs, Script, drive, scores, still_model

EPOCHS = 14
GRID = [
    (patience, min_delta, mode, baseline)
    for patience in (1, 2, 4)
    for min_delta in (0.0, 0.15)
    for mode in ("min", "max")
    for baseline in (None, 0.15, 0.4)
]


def reference(values, patience, min_delta, mode, baseline):
    """Return the epochs run, the best epoch and its score, by the rule written out."""
    sign = 1 if mode == "max" else -1

    def better(value, other):
        return sign * value - min_delta > sign * other

    best = best_epoch = None
    wait = 0
    for epoch, value in enumerate(values):
        wait += 1
        if best is None or better(value, best):
            best, best_epoch = value, epoch
            if baseline is None or better(value, baseline):
                wait = 0
        elif wait >= patience:
            return epoch + 1, best_epoch, best
    return len(values), best_epoch, best


@pytest.mark.parametrize("restore", [True, False])
def test_stops_and_restores_by_the_rule(restore):
    model = still_model()
    for number, (patience, min_delta, mode, baseline) in enumerate(GRID):
        values = scores(number, EPOCHS)
        stop = ut.callbacks.EarlyStopping(
            "val_score", patience=patience, min_delta=min_delta, mode=mode, baseline=baseline, restore_best=restore
        )
        run = drive(model, [NumberEpochs(), Script(values), stop], EPOCHS)
        expected = reference(values, patience, min_delta, mode, baseline)
        assert (run, stop.best_epoch, stop.best_score) == expected, GRID[number]
        assert stop.stopped_epoch == (run - 1 if run < EPOCHS or stop.stopped_epoch is not None else None)
        assert np.all(model.get_weights()[0] == (stop.best_epoch if restore else run - 1)), GRID[number]


def test_decides_as_keras_does():
    model = still_model()
    for number, (patience, min_delta, mode, baseline) in enumerate(GRID):
        values = scores(100 + number, EPOCHS)
        ours = ut.callbacks.EarlyStopping(
            "val_score", patience=patience, min_delta=min_delta, mode=mode, baseline=baseline
        )
        theirs = keras.callbacks.EarlyStopping(
            "val_score", min_delta, patience, mode=mode, baseline=baseline, restore_best_weights=True
        )
        runs, weights = [], []
        for callback in (ours, theirs):
            runs.append(drive(model, [NumberEpochs(), Script(values), callback], EPOCHS))
            weights.append(model.get_weights()[0])
        assert runs[0] == runs[1], GRID[number]
        np.testing.assert_array_equal(*weights)


def test_stops_a_real_fit_and_evaluates_as_at_its_best():
    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    features, held_out = generator.normal(size=(2, 24, 12)).astype("float32")
    labels, held_out_labels = features[:, :1] + generator.normal(size=(24, 1)), held_out[:, :1]
    model = keras.Sequential([keras.Input((12,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse", jit_compile=True)
    stop = ut.callbacks.EarlyStopping(patience=4)
    validation = (held_out, held_out_labels)
    history = model.fit(features, labels, epochs=200, validation_data=validation, verbose=0, callbacks=[stop]).history
    losses = history["val_loss"]
    assert len(losses) == np.argmin(losses) + 5 < 200
    assert model.evaluate(*validation, verbose=0) == pytest.approx(min(losses), rel=1e-6)


def test_says_what_it_did(capsys):
    model = still_model()
    stop = ut.callbacks.EarlyStopping("val_score", patience=2)
    drive(model, [Script([0.25, 0.5, 0.5, 0.125]), stop], 4)
    assert capsys.readouterr().out == (
        "EarlyStopping: stopped after epoch 4, val_score has not improved for 2 epochs; "
        "weights of epoch 2 restored (val_score 0.5)\n"
    )
    drive(model, [Script([0.25, 0.5, 0.5]), stop], 3)
    assert capsys.readouterr().out == "EarlyStopping: weights of epoch 2 restored (val_score 0.5)\n"
    drive(model, [Script([0.25, 0.5]), stop], 2)
    assert capsys.readouterr().out == ""


def test_a_score_that_is_nan_is_never_the_best():
    model = still_model()
    stop = ut.callbacks.EarlyStopping("val_loss", patience=2)
    script = Script([np.nan, 3.0, np.nan, 2.0, np.nan, np.nan, 1.0], "val_loss")
    assert drive(model, [NumberEpochs(), script, stop], 7) == 6
    assert (stop.best_epoch, stop.best_score) == (3, 2.0)
    assert np.all(model.get_weights()[0] == 3)
    assert drive(model, [Script([np.nan] * 5, "val_loss"), stop], 5) == 2


@pytest.mark.parametrize("cut", range(1, 9))
def test_goes_on_after_any_epoch(cut):
    values = [0.5, 0.3, 0.4, 0.2, 0.3, 0.1, 0.3, 0.2, 0.2, 0.0]
    model = still_model()
    first, whole = (ut.callbacks.EarlyStopping("val_loss", patience=3) for _ in range(2))
    length = drive(model, [NumberEpochs(), Script(values, "val_loss"), whole], 10)
    assert length == 9
    final = model.get_weights()[0]
    drive(model, [NumberEpochs(), Script(values, "val_loss"), first], cut)
    state, arrays = json.loads(json.dumps(first.get_state())), first.get_arrays()

    class GoOn(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            second.set_state(state)
            second.set_arrays(arrays)

    second, other = ut.callbacks.EarlyStopping("val_loss", patience=3), still_model()
    run = drive(other, [NumberEpochs(), Script(values, "val_loss"), second, GoOn()], 10, first=cut)
    assert (run, second.get_state()) == (length, whole.get_state())
    np.testing.assert_array_equal(other.get_weights()[0], final)


def test_a_run_that_was_stopped_stays_stopped():
    model = still_model()
    stop = ut.callbacks.EarlyStopping("val_loss", patience=1)
    drive(model, [NumberEpochs(), Script([1.0, 2.0], "val_loss"), stop], 2)
    other, again = ut.callbacks.EarlyStopping("val_loss", patience=1), still_model()
    other.set_model(again)
    again.stop_training = False
    other.set_state(stop.get_state())
    other.set_arrays(stop.get_arrays())
    assert again.stop_training
    other.on_epoch_end(2, {"val_loss": 0.0})  # an epoch more, which the run has not
    assert other.get_state() == stop.get_state()
    other.on_train_end()
    assert np.all(again.get_weights()[0] == 0)
