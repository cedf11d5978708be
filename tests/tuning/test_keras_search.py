import keras
import numpy as np
import pytest

from tests.tuning import builds
from unitools.tuning import KerasTunerEngine, Number, ReportTrial, Search

RATES = {"rate": Number(1e-3, 1, log=True)}


def test_models_are_fitted_kept_and_evaluated_again(tmp_path):
    search = Search(builds.classifier, RATES, "val_loss", folder=tmp_path, seed=1)
    search.run(1)
    best = search.best
    assert best.score == min(best.reports.values()) == best.scores["val_loss"]
    assert set(best.scores) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert search.verify() == pytest.approx(best.score, rel=1e-5)
    # The same once more, in this process.
    trial = search.as_trial(best)
    model, data = builds.classifier(best.settings, trial)
    model.load_weights(trial.weights)
    assert model.evaluate(*data["validation_data"], verbose=0)[0] == pytest.approx(best.score, rel=1e-5)


def test_hyperband_trains_on_from_the_weights_of_the_better_ones(tmp_path):
    engine = KerasTunerEngine("hyperband", max_epochs=3)
    search = Search(builds.classifier, RATES, "val_loss", engine=engine, folder=tmp_path)
    search.run(4)
    first, onward = search.trials[:-1], search.trials[-1]
    assert [list(trial.reports) for trial in search.trials] == [[0]] * len(first) + [[1, 2]]
    source = min(first, key=lambda trial: trial.score)
    assert (onward.job["source"], onward.settings) == (source.number, source.settings)


def fitted(callback, epochs=4):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.4), "mse")
    random = np.random.default_rng(0)
    x, y = random.normal(size=(32, 2)), random.normal(size=32)
    history = model.fit(x, y, epochs=epochs, verbose=0, validation_data=(x, y), callbacks=[callback])
    return model, history.history, (x, y)


def test_the_weights_kept_are_those_of_the_best_epoch(tmp_path):
    path = tmp_path / "best.weights.h5"
    callback = ReportTrial("val_loss", direction="max", weights=path)  # so that the best is not the last
    model, history, data = fitted(callback)
    assert callback.get_state()["best"] == max(history["val_loss"]) != history["val_loss"][-1]
    model.load_weights(path)
    assert model.evaluate(*data, verbose=0) == pytest.approx(max(history["val_loss"]), rel=1e-5)


def test_an_unknown_score_lists_those_there_are():
    with pytest.raises(ValueError, match="among the scores of fit, 'loss', 'val_loss'. Received"):
        fitted(ReportTrial("val_accuracy"))
