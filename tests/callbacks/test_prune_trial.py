import json

import keras
import numpy as np
import optuna
import pytest

import unitools as ut
from tests.callbacks.scripted_scores import Script, drive, scores, still_model

EPOCHS = 8


def pruned_after(values, rivals, mode, warmup):
    """Return the epoch at which Vizier's median rule stops, by the definition."""
    for epoch in range(warmup, len(values)):
        best = (min if mode == "min" else max)(values[: epoch + 1])
        median = np.median([np.mean(rival[: epoch + 1]) for rival in rivals])
        if (best > median) if mode == "min" else (best < median):
            return epoch
    return None


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("warmup", [0, 1, 3])
def test_stops_by_the_median_rule(mode, warmup):
    model, outcomes = still_model(), set()
    for seed in range(40):
        values = scores(seed, EPOCHS).tolist()
        rivals = [scores(100 * seed + n, EPOCHS - n).tolist() for n in range(1 + seed % 4)]
        prune = ut.callbacks.PruneTrial("val_score", mode=mode, rivals=rivals, warmup_epochs=warmup)
        run = drive(model, [Script(values), prune], EPOCHS)
        expected = pruned_after(values, rivals, mode, warmup)
        assert (prune.pruned, prune.pruned_epoch) == (expected is not None, expected)
        assert run == (EPOCHS if expected is None else expected + 1)
        assert prune.values == tuple(values[:run])
        outcomes.add(expected)
    assert None in outcomes and len(outcomes) > 1


def test_reports_to_a_search_engine_and_stops_when_told():
    """Optuna's own decisions, through the callback, equal those that Optuna takes in a plain loop."""
    curves = [scores(seed, EPOCHS).tolist() for seed in range(12)]

    def search(follow):
        study = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=1))

        def objective(trial):
            run = follow(trial, curves[trial.number])
            if run < EPOCHS:
                raise optuna.TrialPruned
            return curves[trial.number][-1]

        study.optimize(objective, n_trials=len(curves))
        return [(trial.state.name, trial.intermediate_values) for trial in study.trials]

    def by_callback(trial, curve):
        prune = ut.callbacks.PruneTrial("val_loss", warmup_epochs=0)

        def report(epoch, value):
            trial.report(value, epoch)
            return trial.should_prune()

        prune.report = report
        run = drive(still_model(), [Script(curve, "val_loss"), prune], EPOCHS)
        assert prune.pruned == (run < EPOCHS) or (run == EPOCHS and prune.pruned_epoch == EPOCHS - 1)
        return run

    def by_loop(trial, curve):
        for epoch, value in enumerate(curve):
            trial.report(value, epoch)
            if trial.should_prune():
                return epoch + 1
        return EPOCHS

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    ours, plain = search(by_callback), search(by_loop)
    assert ours == plain
    assert {state for state, _ in ours} == {"COMPLETE", "PRUNED"}


def test_the_warm_up_reports_and_does_not_stop():
    prune, told = ut.callbacks.PruneTrial("val_loss", warmup_epochs=2), []
    prune.report = lambda epoch, value: told.append((epoch, value)) or True
    assert drive(still_model(), [Script([1.0, 2.0, 3.0, 4.0], "val_loss"), prune], 4) == 3
    assert told == [(0, 1.0), (1, 2.0), (2, 3.0)]
    assert (prune.pruned, prune.pruned_epoch) == (True, 2)


def test_scores_that_are_all_nan_are_behind():
    prune = ut.callbacks.PruneTrial("val_loss", rivals=[[9.0, 9.0]], warmup_epochs=1)
    drive(still_model(), [Script([np.nan] * 4, "val_loss"), prune], 4)
    assert prune.pruned_epoch == 1


@pytest.mark.parametrize("cut", range(1, 5))
def test_goes_on_after_any_epoch(cut):
    values, rivals = [0.5, 0.35, 0.4, 0.4, 0.4, 0.4], [[0.5, 0.4, 0.3, 0.2, 0.1, 0.1]]
    make = lambda: ut.callbacks.PruneTrial("val_loss", rivals=rivals)  # noqa: E731
    whole, first, second = make(), make(), make()
    length = drive(still_model(), [Script(values, "val_loss"), whole], 6)
    assert whole.pruned and 1 < length < 6
    drive(still_model(), [Script(values, "val_loss"), first], cut)
    state = json.loads(json.dumps(first.get_state()))

    class GoOn(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            second.set_state(state)

    drive(still_model(), [Script(values, "val_loss"), second, GoOn()], 6, first=cut)
    assert second.get_state() == whole.get_state() or cut >= length


@pytest.mark.parametrize("rivals", ["best", [[]], [[float("nan")]], [0.5], [["a"]]])
def test_rivals_that_are_none_are_refused(rivals):
    with pytest.raises(ValueError, match="`rivals` must be a list of lists of scores"):
        ut.callbacks.PruneTrial(rivals=rivals)
