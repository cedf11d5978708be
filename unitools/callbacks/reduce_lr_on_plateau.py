"""A lower learning rate where a score stands still."""

from typing import Any

from unitools.callbacks.monitored_score import MonitoredScore
from unitools.callbacks.rate_scale import RateScale
from unitools.callbacks.status_line import print_below
from unitools.core.checks import check_integer, check_number
from unitools.core.component import register


@register
class ReduceLROnPlateau(MonitoredScore):
    """Lowers the learning rate when a score has not improved for some epochs, and says so.

    Keras' callback of this name works with a rate that is a number only. Here a schedule, such as that of
    `ut.training.compile`, is multiplied by a number that is lowered; the schedule goes on from there. The rate of each
    epoch is in the history as "learning_rate".

    Args:
        monitor: Name of the score in the logs. Default "val_loss".
        factor: What the rate is multiplied by, in (0, 1). Default 0.5.
        patience: Epochs without improvement before that, >= 1. Default 2.
        min_delta: What an improvement must be larger than, >= 0. Default 0.
        mode: "min": lower is better. "max": higher is better. "auto" (default): told from the name, see
            `MonitoredScore`.
        cooldown: Epochs after a reduction that are not counted, >= 0. Default 0.
        min_lr: The rate is not lowered beyond this, >= 0. Default 0. A schedule that falls by itself may fall below.

    Raises:
        ValueError: An argument is out of range. From `fit`, at its beginning: the optimizer's rate is a function; at
            the end of the first epoch: no log has this name.

    Example:
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    >>> model.compile(keras.optimizers.SGD(1.5), "mse")
    >>> reduce = ut.callbacks.ReduceLROnPlateau("loss", factor=0.1, patience=1)
    >>> _ = model.fit(np.ones((4, 1)), np.zeros(4), epochs=2, verbose=0, callbacks=[reduce])
    ReduceLROnPlateau: epoch 2, loss has not improved for 1 epoch; learning rate lowered from 1.5 to 0.15

    Source:
        The rule is that of `keras.callbacks.ReduceLROnPlateau`. Other than there, a first score that is NaN is not the
        best, and a name that no log has is an error.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        *,
        factor: float = 0.5,
        patience: int = 2,
        min_delta: float = 0.0,
        mode: str = "auto",
        cooldown: int = 0,
        min_lr: float = 0.0,
    ):
        super().__init__(monitor, mode=mode, min_delta=min_delta)
        self.factor = check_number("factor", factor, 0, 1, open_low=True, open_high=True)
        self.patience = check_integer("patience", patience, 1)
        self.cooldown = check_integer("cooldown", cooldown, 0)
        self.min_lr = check_number("min_lr", min_lr, 0)
        self._rate = None
        self._reset()

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Forget the fit before, and make the rate one that can be lowered."""
        self._reset()
        self._rate = RateScale(self.model)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Log the rate, and read the score."""
        if logs is not None:
            logs["learning_rate"] = self._rate.rates()[0]
        super().on_epoch_end(epoch, logs)

    def on_score(self, epoch: int, value: float) -> None:
        """Count the epochs without improvement, and lower the rate."""
        if self._cooling:
            self._cooling, self._wait = self._cooling - 1, 0
        if self.improves(value, self._best):
            self._best, self._wait = value, 0
        elif not self._cooling:
            self._wait += 1
            if self._wait >= self.patience:
                self._lower(epoch)

    def get_state(self) -> dict[str, Any]:
        """Return the best score, the counts, and how far the rates are lowered."""
        scales = self._scales if self._rate is None else self._rate.scales()
        return {"best": self._best, "wait": self._wait, "cooling": self._cooling, "scales": scales}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned."""
        self._best, self._wait, self._cooling = state["best"], state["wait"], state["cooling"]
        self._scales = state["scales"]
        if self._rate is not None and self._scales is not None:
            self._rate.set_scales(self._scales)

    def _reset(self):
        self._best, self._wait, self._cooling, self._scales = None, 0, 0, None

    def _lower(self, epoch):
        before = self._rate.rates()[0]
        if self._rate.lower(self.factor, self.min_lr):
            epochs = "1 epoch" if self._wait == 1 else f"{self._wait} epochs"
            print_below(
                f"ReduceLROnPlateau: epoch {epoch + 1}, {self.monitor} has not improved for {epochs}; "
                f"learning rate lowered from {before:.3g} to {self._rate.rates()[0]:.3g}"
            )
            self._cooling, self._wait = self.cooldown, 0
