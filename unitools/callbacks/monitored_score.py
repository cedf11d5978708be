"""What the callbacks that watch one score have in common."""

import re
from collections.abc import Container

import keras

from unitools.core.checks import check_choice, check_number, fail
from unitools.core.component import Component

_MODES = ("auto", "min", "max")
# Words in the names of Keras' and our own losses and metrics; the last one that is known says which way is better.
_LOWER = re.compile(
    "loss|errors?|mse|mae|mape|msle|rmse|crossentropy|entropy|hinge|logcosh|poisson|divergence|perplexity|wer|cer|ter|"
    "nll|deviance|distance"
)
_HIGHER = re.compile(
    "accuracy|acc|f1|fbeta|score|precision|recall|sensitivity|specificity|auc|map|iou|io|u|dice|bleu|rouge|chrf|r2|"
    "similarity|correlation|kappa|mcc"
)


class MonitoredScore(Component, keras.callbacks.Callback):
    """Base of callbacks that watch one score: reads it at the end of each epoch and says whether it is an improvement.

    Derive from it and override `on_score(epoch, value)`, which is called once an epoch. A score that is NaN is never an
    improvement.

    With `mode="auto"` the last known word of the name decides: lower is better for loss, error, mse, mae, rmse,
    crossentropy, perplexity, wer, cer and the like, higher is better for accuracy, f1, score, precision, recall, auc,
    iou, bleu and the like. "val_entity_f1" is a maximum, "val_mean_squared_error" a minimum. A name without such a word
    needs "min" or "max".

    Args:
        monitor: Name of the score in the logs. Default "val_loss".
        mode: "min": lower is better. "max": higher is better. "auto" (default): told from the name.
        min_delta: What an improvement must be larger than, >= 0. Default 0: any improvement counts.

    Raises:
        ValueError: An argument is out of range, or `mode="auto"` cannot tell from the name. From `fit`, at the end of
            the first epoch that should have the score: no log has this name; the text lists those there are.

    Example:
    >>> class Record(ut.callbacks.MonitoredScore):
    ...     best = None
    ...     def on_score(self, epoch, value):
    ...         if self.improves(value, self.best):
    ...             self.best = value
    >>> record = Record("loss")
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> history = model.fit(np.ones((8, 2)), np.ones(8), epochs=3, verbose=0, callbacks=[record])
    >>> record.best == min(history.history["loss"])
    True
    """

    # `validation_freq` of the `fit`, which tells callbacks nothing of it: epochs without validation have no `val_`
    # scores then. No argument, since it is the fit's.
    validation_freq: int | Container[int] = 1

    def __init__(self, monitor: str = "val_loss", *, mode: str = "auto", min_delta: float = 0.0):
        super().__init__()
        if not isinstance(monitor, str) or not monitor:
            fail("monitor", monitor, "the name of a score", "For instance monitor='val_loss'.")
        self.monitor = monitor
        self.mode = check_choice("mode", mode, _MODES)
        self.min_delta = check_number("min_delta", min_delta, 0)
        self._lower_is_better = lower_is_better(monitor, mode)

    def improves(self, value: float, reference: float | None) -> bool:
        """Tell whether a score is better than another by more than `min_delta`. Any number is better than None."""
        if reference is None:
            return value == value
        if self._lower_is_better:
            return value + self.min_delta < reference
        return value - self.min_delta > reference

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Read the score, and hand it to `on_score`."""
        logs = logs or {}
        if self.monitor in logs:
            self.on_score(epoch, float(logs[self.monitor]))
        elif not self._may_lack(epoch, logs):
            advice = "Give `validation_data` to fit." if self.monitor.startswith("val_") else "Mend the name."
            if self.monitor.startswith("val_"):
                advice += " Where fit has a `validation_freq`, set it on this callback, as its attribute, too."
            there = ", ".join(map(repr, logs)) or "nothing"
            fail("monitor", self.monitor, f"among what the model logs, {there}", advice)

    def on_score(self, epoch: int, value: float) -> None:
        """Do what is to be done with the score of an epoch. The hook to override.

        Args:
            epoch: Number of the epoch, from 0.
            value: The score.
        """

    def _may_lack(self, epoch, logs):
        """Tell whether this epoch was not validated, by the fit's `validation_freq`."""
        if not self.monitor.startswith("val_") or any(name.startswith("val_") for name in logs):
            return False
        if isinstance(self.validation_freq, int):
            return (epoch + 1) % self.validation_freq != 0
        return epoch + 1 not in self.validation_freq


def lower_is_better(monitor: str, mode: str) -> bool:
    """Return which way a score is better, for mode "auto" told from the last known word of its name."""
    if mode != "auto":
        return mode == "min"
    words = re.split(r"[^a-z0-9]+", monitor.lower())
    known = [word for word in words if _LOWER.fullmatch(word) or _HIGHER.fullmatch(word)]
    if not known:
        fail("mode", mode, f"'min' or 'max' for monitor={monitor!r}", "The name does not tell which way is better.")
    return bool(_LOWER.fullmatch(known[-1]))
