"""The end of a trial that will not win."""

import statistics
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

from unitools.callbacks.monitored_score import MonitoredScore
from unitools.core.checks import check_integer, fail
from unitools.core.component import register


@register
class PruneTrial(MonitoredScore):
    """Stops the training of one trial of a search when its score is behind that of others.

    Two ways to decide, which may be used together:

    - `rivals`, the scores by epoch of trials that are done: the median rule. The trial is stopped if its best score up
      to this epoch is worse than the median of the rivals' means up to this epoch.
    - `report`, an attribute: a function of the epoch (from 0) and the score that a search engine gives, and that
      returns True to stop. It is no argument, as no config could hold it.

    After `fit`, `pruned` tells whether it was stopped, `pruned_epoch` when, and `values` holds the scores.

    Args:
        monitor: Name of the score in the logs. Default "val_loss".
        mode: "min": lower is better. "max": higher is better. "auto" (default): told from the name, see
            `MonitoredScore`.
        rivals: For each trial that is done its scores, one an epoch. Default (): the median rule is off. A rival that
            ended earlier counts with all its scores.
        warmup_epochs: Epochs after whose scores, though reported, it is not stopped, >= 0. Default 1.

    Raises:
        ValueError: An argument is out of range. From `fit`, at the end of the first epoch: no log has this name.

    Example:
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    >>> model.compile(keras.optimizers.SGD(1e-6), "mse")
    >>> prune = ut.callbacks.PruneTrial("loss", rivals=[[0.9, 0.5, 0.2], [0.8, 0.4, 0.1]], warmup_epochs=2)
    >>> _ = model.fit(np.ones((4, 1)), np.zeros(4), epochs=9, verbose=0, callbacks=[prune])
    >>> prune.pruned, prune.pruned_epoch
    (True, 2)

    Source:
        The median rule: Golovin et al. 2017, Google Vizier, section 3.2.2.
    """

    report: Callable[[int, float], bool] | None = None

    def __init__(
        self,
        monitor: str = "val_loss",
        *,
        mode: str = "auto",
        rivals: Sequence[Sequence[float]] = (),
        warmup_epochs: int = 1,
    ):
        super().__init__(monitor, mode=mode)
        self.rivals = _checked(rivals)
        self.warmup_epochs = check_integer("warmup_epochs", warmup_epochs, 0)
        self._reset()

    @property
    def pruned(self) -> bool:
        """Whether the trial was stopped."""
        return self._pruned_epoch is not None

    @property
    def pruned_epoch(self) -> int | None:
        """The epoch, from 0, after which it was stopped."""
        return self._pruned_epoch

    @property
    def values(self) -> tuple[float, ...]:
        """The scores so far, one an epoch."""
        return tuple(self._values)

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Forget the fit before."""
        self._reset()

    def on_score(self, epoch: int, value: float) -> None:
        """Report the score, and stop if it is behind."""
        if self.pruned:  # a run resumed after its end; the epoch is not part of it
            return
        self._values.append(value)
        told = self.report is not None and bool(self.report(epoch, value))
        if epoch >= self.warmup_epochs and (told or self._is_behind()):
            self._pruned_epoch = epoch
            self.model.stop_training = True

    def get_state(self) -> dict[str, Any]:
        """Return the scores, and whether the trial was stopped."""
        return {"values": list(self._values), "pruned_epoch": self._pruned_epoch}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned. A trial that was stopped stays stopped."""
        self._values, self._pruned_epoch = list(state["values"]), state["pruned_epoch"]
        if self.pruned and self.model is not None:
            self.model.stop_training = True

    def _reset(self):
        self._values, self._pruned_epoch = [], None

    def _is_behind(self):
        if not self.rivals:
            return False
        best = None
        for value in self._values:
            best = value if self.improves(value, best) else best
        median = statistics.median(statistics.fmean(rival[: len(self._values)]) for rival in self.rivals)
        return best is None or self.improves(median, best)


def _checked(rivals):
    """Return the scores of the rivals as tuples of floats, or raise."""
    expected, advice = "a list of lists of scores, one an epoch", "For instance rivals=[[0.9, 0.7], [0.8, 0.6]]."
    if not isinstance(rivals, Sequence) or isinstance(rivals, str):
        fail("rivals", rivals, expected, advice)
    for rival in rivals:
        listed = isinstance(rival, Sequence) and not isinstance(rival, str) and len(rival) > 0
        if not listed or not all(isinstance(value, Real) and value == value for value in rival):
            fail("rivals", rivals, expected, "No score may be NaN. " + advice)
    return tuple(tuple(float(value) for value in rival) for rival in rivals)
