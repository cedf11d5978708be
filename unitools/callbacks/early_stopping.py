"""The end of training that no longer helps."""

from typing import Any

import numpy as np

from unitools.callbacks.monitored_score import MonitoredScore
from unitools.callbacks.status_line import print_below
from unitools.callbacks.variable_copies import copies, named, put_back, unnamed
from unitools.core.checks import check_flag, check_integer, check_number
from unitools.core.component import register
from unitools.core.scored_weights import scored_weights


@register
class EarlyStopping(MonitoredScore):
    """Stops training when a score has not improved for some epochs, and gives the model back its best weights.

    Why: after its best epoch a net learns its training data by heart. The best weights are put into the model at the
    end of every `fit`, whether it was stopped or ran through, and a line says so. They are held in memory.

    Args:
        monitor: Name of the score in the logs. Default "val_loss".
        patience: Epochs without improvement after which training stops, >= 1. Default 3.
        min_delta: What an improvement must be larger than, >= 0. Default 0.
        mode: "min": lower is better. "max": higher is better. "auto" (default): told from the name, see
            `MonitoredScore`.
        restore_best: Whether the model ends with the weights of its best epoch. Default True. Use False to keep the
            last ones, and no copy of the weights in memory.
        baseline: A score that must be improved on: as long as it is not, no epoch counts as an improvement for the
            patience. Default None.

    Raises:
        ValueError: An argument is out of range. From `fit`, at the end of the first epoch: no log has this name.

    Example:
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    >>> model.compile(keras.optimizers.SGD(1.5), "mse")
    >>> stop = ut.callbacks.EarlyStopping("loss", patience=2)
    >>> history = model.fit(np.ones((4, 1)), np.zeros(4), epochs=9, verbose=0, callbacks=[stop])
    EarlyStopping: stopped after epoch 3, loss has not improved for 2 epochs; weights of epoch 1 restored (loss 1)
    >>> stop.stopped_epoch, stop.best_epoch, stop.best_score
    (2, 0, 1.0)

    Source:
        The rule is that of `keras.callbacks.EarlyStopping`. Other than there, a first score that is NaN is not the
        best, and a name that no log has is an error.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        *,
        patience: int = 3,
        min_delta: float = 0.0,
        mode: str = "auto",
        restore_best: bool = True,
        baseline: float | None = None,
    ):
        super().__init__(monitor, mode=mode, min_delta=min_delta)
        self.patience = check_integer("patience", patience, 1)
        self.restore_best = check_flag("restore_best", restore_best)
        self.baseline = None if baseline is None else check_number("baseline", baseline)
        self._reset()

    @property
    def best_score(self) -> float | None:
        """The best score so far, None before the first."""
        return self._best

    @property
    def best_epoch(self) -> int | None:
        """The epoch of the best score, from 0."""
        return self._best_epoch

    @property
    def stopped_epoch(self) -> int | None:
        """The epoch, from 0, after which training was stopped, None if it was not."""
        return self._stopped_epoch

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Forget the fit before."""
        self._reset()

    def on_score(self, epoch: int, value: float) -> None:
        """Keep the best, count the epochs since, stop."""
        if self._stopped_epoch is not None:  # a run resumed after its end; the epoch is not part of it
            return
        self._last_epoch, self._wait = epoch, self._wait + 1
        if self.improves(value, self._best):
            self._best, self._best_epoch = value, epoch
            if self.restore_best:
                with scored_weights(self.model, self.monitor):
                    self._weights = copies(self.model.weights)
            if self.baseline is None or self.improves(value, self.baseline):
                self._wait = 0
        elif self._wait >= self.patience:
            self._stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: dict | None = None) -> None:
        """Restore the best weights, and say what was done."""
        said = []
        if self._stopped_epoch is not None:
            epochs = "1 epoch" if self._wait == 1 else f"{self._wait} epochs"
            said = [f"stopped after epoch {self._stopped_epoch + 1}, {self.monitor} has not improved for {epochs}"]
        if self._weights is not None:
            put_back(self.model.weights, self._weights)
            if self._best_epoch != self._last_epoch:
                said.append(f"weights of epoch {self._best_epoch + 1} restored ({self.monitor} {self._best:.4g})")
        if said:
            print_below(f"EarlyStopping: {'; '.join(said)}")

    def get_state(self) -> dict[str, Any]:
        """Return the scores and counts."""
        return {
            "wait": self._wait,
            "best": self._best,
            "best_epoch": self._best_epoch,
            "last_epoch": self._last_epoch,
            "stopped_epoch": self._stopped_epoch,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned. A run that was stopped stays stopped."""
        self._wait, self._best, self._best_epoch = state["wait"], state["best"], state["best_epoch"]
        self._last_epoch, self._stopped_epoch = state["last_epoch"], state["stopped_epoch"]
        if self._stopped_epoch is not None and self.model is not None:
            self.model.stop_training = True

    def get_arrays(self) -> dict[str, np.ndarray]:
        """Return the best weights."""
        return named("best", self._weights)

    def set_arrays(self, arrays: dict[str, np.ndarray]) -> None:
        """Take the best weights back."""
        self._weights = unnamed("best", arrays)

    def _reset(self):
        self._wait, self._weights = 0, None
        self._best = self._best_epoch = self._last_epoch = self._stopped_epoch = None
