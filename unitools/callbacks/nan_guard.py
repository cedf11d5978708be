"""Back to the last good state where the loss is no number any more."""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from unitools.callbacks.rate_scale import RateScale
from unitools.callbacks.status_line import print_below
from unitools.callbacks.variable_copies import build_optimizer, copies, named, put_back, unnamed
from unitools.core.checks import check_integer, check_number
from unitools.core.component import Component, register


class TrainingDivergedError(ValueError):
    """The loss or the weights became NaN or infinite again and again. The model is in its last good state."""


@register
class NanGuard(Component, keras.callbacks.Callback):
    """Goes back to the last good state when the loss or a weight is NaN or infinite, lowers the learning rate, says so.

    Why: one bad batch or one step too large makes every weight NaN, and a night's training is lost. The state is that
    of the model, seeds of its layers included, the optimizer and the metrics. It is held in memory: twice to three
    times the size of the weights with Adam.

    A state is kept only if its weights and the optimizer's variables are finite. The weights are looked at when an
    epoch ends too, before it is validated: no later loss would show what its last step did. Training goes on with the
    batches that follow: those between the kept state and the bad step are not seen again in this epoch, and the
    optimizer's count of steps, on which a schedule depends, is that of the kept state. Where the state is of an earlier
    epoch, the metrics begin anew.

    Give it as the first of the callbacks, so that none of the others stores a bad state.

    Args:
        every: Steps from one kept state to the next, >= 1. Default 100. A step is a call of the training function,
            `steps_per_execution` batches.
        factor: What the learning rate is multiplied by on each return, in (0, 1]. Default 0.5. Schedules too, see
            `ScaledSchedule`.
        max_returns: Returns in one `fit`, >= 0; one more is an error. Default 3.
        check_every: Steps from one look at the loss to the next, >= 1. Default 1. To look is to wait for the step on
            an accelerator. Nothing escapes a rarer look, since the loss of the logs is the mean of the epoch so far.

    Raises:
        ValueError: An argument is out of range. From `fit`: the optimizer's rate is a function; the logs have no loss.
        TrainingDivergedError: From `fit`: one return more than `max_returns` was needed. The model is in the last good
            state.

    Example:
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    >>> model.compile(keras.optimizers.SGD(0.5), "mse")
    >>> values = np.array([1.0, 1.0, np.nan, 1.0])
    >>> guard = ut.callbacks.NanGuard(every=1)
    >>> _ = model.fit(values, np.zeros(4), batch_size=1, shuffle=False, verbose=0, callbacks=[guard])
    NanGuard: loss is nan at step 3 (epoch 1); back to step 2, learning rate now 0.25, return 1 of 3
    """

    def __init__(self, *, every: int = 100, factor: float = 0.5, max_returns: int = 3, check_every: int = 1):
        super().__init__()
        self.every = check_integer("every", every, 1)
        self.factor = check_number("factor", factor, 0, 1, open_low=True)
        self.max_returns = check_integer("max_returns", max_returns, 0)
        self.check_every = check_integer("check_every", check_every, 1)
        self._rate = None
        self._fitting = False
        self._reset()

    @property
    def num_returns(self) -> int:
        """How often it went back in this fit."""
        return self._returns

    def set_params(self, params: dict[str, Any]) -> None:
        """Start anew: a `fit` that ended with an error has told nothing of it."""
        super().set_params(params)
        self._fitting = False

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Forget the fit before, and keep the state that this one begins with."""
        self._reset()
        self._fitting = True
        self._rate = RateScale(self.model)
        if self.model.built:  # else there is nothing to keep before the first step has made the weights
            build_optimizer(self.model)
            self._keep()
            self._good_epoch = None  # Keras makes metrics in the first step

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Note the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Look at the loss, and keep the state or go back."""
        self._step += 1
        keeping = self._step % self.every == 0
        if keeping or self._step % self.check_every == 0:
            self._look(logs or {}, keeping)

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Look at the weights before they are validated."""
        if self._fitting:
            self._look_at_weights()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Look at the loss of the steps that were not looked at: the next epoch's mean does not hold them."""
        if self._step % self.check_every and self._returned_at != self._step:
            self._look(logs or {}, keeping=False)
        self._look_at_weights()

    def on_train_end(self, logs: dict | None = None) -> None:
        """Let an `evaluate` by itself alone."""
        self._fitting = False

    def get_state(self) -> dict[str, Any]:
        """Return the counts, and how far the rates are lowered."""
        scales = self._scales if self._rate is None else self._rate.scales()
        good = {"good_step": self._good_step, "good_epoch": self._good_epoch}
        return {"step": self._step, "epoch": self._epoch, "returns": self._returns, "scales": scales, **good}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned."""
        self._step, self._epoch, self._returns = state["step"], state["epoch"], state["returns"]
        self._good_step, self._good_epoch = state["good_step"], state["good_epoch"]
        self._scales = state["scales"]
        if self._rate is not None and self._scales is not None:
            self._rate.set_scales(self._scales)

    def get_arrays(self) -> dict[str, np.ndarray]:
        """Return the kept state."""
        return {key: array for part, values in self._good.items() for key, array in named(part, values).items()}

    def set_arrays(self, arrays: dict[str, np.ndarray]) -> None:
        """Take the kept state back."""
        parts = ("model", "optimizer", "metrics")
        self._good = {part: values for part in parts if (values := unnamed(part, arrays)) is not None}

    def _reset(self):
        self._step, self._epoch, self._returns, self._scales = 0, 0, 0, None
        self._good, self._good_step, self._good_epoch, self._returned_at = {}, 0, None, None

    def _look(self, logs, keeping):
        if "loss" not in logs:
            there = ", ".join(map(repr, logs)) or "nothing"
            raise ValueError(f"The logs of a step must hold a 'loss'. Received {there}. Return it from `train_step`.")
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            self._go_back(f"loss is {loss}")
        elif (keeping or not self._good) and self._look_at_weights():  # the loss is that of those before the step
            self._keep()

    def _look_at_weights(self):
        """Return whether all are finite; go back if not."""
        bad = self._first_infinite()
        if bad is not None:
            self._go_back(f"{bad} is not finite")
        return bad is None

    def _parts(self):
        metrics = self.model.metrics_variables
        return {"model": self.model.variables, "optimizer": self.model.optimizer.variables, "metrics": metrics}

    def _keep(self):
        self._good = {part: copies(variables) for part, variables in self._parts().items()}
        self._good_step, self._good_epoch = self._step, self._epoch

    def _first_infinite(self):
        """Return the path of a variable that is not finite, and was in the kept state; None where all are."""
        for part in ("model", "optimizer"):
            variables = self._parts()[part]
            for variable, good in zip(variables, self._good.get(part, [None] * len(variables)), strict=True):
                if _is_float(variable) and not _is_finite(variable) and (good is None or np.isfinite(good).all()):
                    return variable.path
        return None

    def _put_back(self):
        same_epoch = self._good_epoch == self._epoch
        for part, variables in self._parts().items():
            if part != "metrics" or same_epoch:
                put_back(variables, self._good.get(part, []))
        if not same_epoch:
            self.model.reset_metrics()

    def _go_back(self, reason):
        where = f"{reason} at step {self._step} (epoch {self._epoch + 1})"
        if not self._good:
            raise TrainingDivergedError(f"{where}, the first one. Look for bad examples, or build the model before.")
        scales = self._rate.scales()
        self._put_back()
        self._returned_at = self._step
        self._returns += 1
        if self._returns > self.max_returns:
            raise TrainingDivergedError(
                f"{where}, after {self.max_returns} returns to a good state. The model is in that of step "
                f"{self._good_step}. Look for bad examples, or train with a lower learning rate or clipped gradients."
            )
        self._rate.set_scales(scales)
        self._rate.lower(self.factor)
        print_below(
            f"NanGuard: {where}; back to step {self._good_step}, learning rate now {self._rate.rates()[0]:.3g}, "
            f"return {self._returns} of {self.max_returns}"
        )


def _is_float(variable):
    return "float" in keras.backend.standardize_dtype(variable.dtype)


def _is_finite(variable):
    return bool(tf.reduce_all(tf.math.is_finite(tf.convert_to_tensor(variable))))
