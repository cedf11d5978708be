import keras
import numpy as np
import pytest

import unitools as ut
from unitools.callbacks.monitored_score import lower_is_better


class Noted(ut.callbacks.MonitoredScore):
    def on_train_begin(self, logs=None):
        self.seen = []

    def on_score(self, epoch, value):
        self.seen.append((epoch, value))


def fit(callback, metrics=("mae",), **options):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=list(metrics))
    values = np.ones((8, 2), "float32")
    return model.fit(values, values[:, :1], verbose=0, callbacks=[callback], **options).history


DATA = (np.ones((4, 2), "float32"), np.ones((4, 1), "float32"))


@pytest.mark.parametrize("name", ["loss", "val_loss", "mae", "val_mae"])
def test_the_score_is_that_of_the_history(name):
    noted = Noted(name)
    history = fit(noted, epochs=3, validation_data=DATA)
    assert noted.seen == list(enumerate(history[name]))


def test_an_unknown_name_is_an_error_after_the_first_epoch():
    with pytest.raises(ValueError, match="among what the model logs, 'loss', 'mae'. Received monitor='f1'. Mend"):
        fit(Noted("f1"), epochs=2)
    with pytest.raises(ValueError, match="Received monitor='val_f1'"):
        fit(Noted("val_f1"), epochs=2, validation_data=DATA)


def test_a_fit_without_validation_data_is_told_so():
    with pytest.raises(ValueError, match="Received monitor='val_loss'. Give `validation_data` to fit."):
        fit(Noted("val_loss"), epochs=2)


@pytest.mark.parametrize("freq", [2, [1, 3]])
def test_epochs_without_validation_are_passed_over(freq):
    noted = Noted("val_loss")
    noted.validation_freq = freq
    history = fit(noted, epochs=5, validation_data=DATA, validation_freq=freq)
    epochs = [epoch for epoch in range(5) if ((epoch + 1) % 2 == 0 if freq == 2 else epoch + 1 in freq)]
    assert noted.seen == list(zip(epochs, history["val_loss"], strict=True))


def test_validation_that_never_comes_is_an_error_when_it_should_have():
    noted = Noted("val_loss")
    noted.validation_freq = 3
    with pytest.raises(ValueError, match="Give `validation_data`"):
        fit(noted, epochs=5)


@pytest.mark.parametrize(
    ("name", "lower"),
    [
        ("val_loss", True),
        ("val_mean_squared_error", True),
        ("root_mean_squared_error", True),
        ("sparse_categorical_crossentropy", True),
        ("kl_divergence", True),
        ("WER", True),
        ("entity_loss", True),
        ("accuracy_loss", True),
        ("error_recall", False),
        ("val_entity_f1", False),
        ("sparse_top_k_categorical_accuracy", False),
        ("auc_1", False),
        ("mean_io_u", False),
        ("cosine_similarity", False),
        ("val_r2_score", False),
        ("sensitivity_at_specificity", False),
    ],
)
def test_auto_is_told_from_the_name(name, lower):
    assert lower_is_better(name, "auto") is lower


@pytest.mark.parametrize(
    "metric",
    [
        keras.metrics.MeanSquaredError(),
        keras.metrics.MeanAbsolutePercentageError(),
        keras.metrics.LogCoshError(),
        keras.metrics.BinaryCrossentropy(),
        keras.metrics.KLDivergence(),
        keras.metrics.Hinge(),
        keras.metrics.Poisson(),
        keras.metrics.CategoricalAccuracy(),
        keras.metrics.TopKCategoricalAccuracy(),
        keras.metrics.AUC(),
        keras.metrics.Precision(),
        keras.metrics.RecallAtPrecision(0.5),
        keras.metrics.F1Score(),
        keras.metrics.FBetaScore(),
        keras.metrics.MeanIoU(2),
        keras.metrics.BinaryIoU(),
        keras.metrics.CosineSimilarity(),
        keras.metrics.R2Score(),
    ],
    ids=lambda metric: metric.name,
)
def test_auto_agrees_with_keras(metric):
    assert lower_is_better("val_" + metric.name, "auto") is (metric._direction == "down")


def test_a_name_that_tells_nothing_needs_a_mode():
    with pytest.raises(
        ValueError, match=r"`mode` must be 'min' or 'max' for monitor='val_quality'. Received mode='auto'"
    ):
        Noted("val_quality")
    assert Noted("val_quality", mode="max").improves(2.0, 1.0)


def test_improvement_is_strict_and_larger_than_min_delta():
    lower, higher = Noted("loss", min_delta=0.25), Noted("accuracy", min_delta=0.25)
    assert [lower.improves(value, 1.0) for value in (0.5, 0.75, 1.0, float("nan"))] == [True, False, False, False]
    assert [higher.improves(value, 1.0) for value in (1.5, 1.25, 1.0, float("nan"))] == [True, False, False, False]
    assert (lower.improves(5.0, None), lower.improves(float("nan"), None)) == (True, False)
