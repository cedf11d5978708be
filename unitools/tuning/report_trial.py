"""Reports of `fit` to a search."""

import math
import os

import keras

from unitools.core.checks import fail
from unitools.core.component import Component, register
from unitools.core.durable import write_file
from unitools.tuning.direction import direction_of
from unitools.tuning.trial import Trial


@register
class ReportTrial(Component, keras.callbacks.Callback):
    """Reports the objective to the search after each epoch, ends a trial that falls behind, keeps the best weights.

    `trial.callbacks()` gives it, and `Search` adds it where `build` returns a model and the arguments of `fit`. By
    itself, without a search, it keeps the weights of the best epoch.

    Args:
        objective: Name of the score that counts, such as "val_accuracy".
        direction: "max" or "min". Default None: as the name tells.
        weights: Path of the file for the weights of the best epoch, which ends in ".weights.h5". It is replaced as a
            whole. Default None: none.

    Raises:
        ValueError: An argument is out of range. From `fit`, after the first epoch: there is no such score; the text
            lists those there are.

    Example:
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> report = ut.tuning.ReportTrial("loss")
    >>> history = model.fit(np.ones((8, 2)), np.ones(8), epochs=3, verbose=0, callbacks=[report])
    >>> report.get_state()["best"] == min(history.history["loss"])
    True
    """

    # The trial to report to. No argument, since a config could not hold it.
    trial: Trial | None = None

    def __init__(
        self,
        objective: str,
        *,
        direction: str | None = None,
        weights: str | os.PathLike | None = None,
    ):
        super().__init__()
        self.objective, self.direction = objective, direction
        self._direction = direction_of(objective, direction)
        if weights is not None and not str(weights).endswith(".weights.h5"):
            fail("weights", weights, 'a path that ends in ".weights.h5"', "Use None to keep none.")
        self.weights = None if weights is None else os.fspath(weights)
        self._best = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Forget the best value."""
        self._best = None

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Keep the weights if they are the best, and report."""
        logs = logs or {}
        if self.objective not in logs:
            if self.trial is not None:  # after the epoch `trial_scores` says the same, in a way the search understands
                self.model.stop_training = True
                return
            there = ", ".join(map(repr, logs))
            fail("objective", self.objective, f"among the scores of fit, {there}", "Name one of them.")
        value = float(logs[self.objective])
        if self._is_best(value):
            self._best = value
            if self.weights is not None:
                write_file(self.weights, self.model.save_weights)
        if self.trial is not None and self.trial.report(value, epoch):
            self.model.stop_training = True

    def get_state(self) -> dict[str, float | None]:
        """Return the best value so far."""
        return {"best": self._best}

    def set_state(self, state: dict[str, float | None]) -> None:
        """Go on from what `get_state` returned."""
        self._best = state["best"]

    def _is_best(self, value):
        if math.isnan(value):
            return False
        return self._best is None or (value > self._best if self._direction == "max" else value < self._best)
