"""A range test of the learning rate."""

import math
import os
import warnings
from typing import Any

import keras
import numpy as np

from unitools.callbacks.checkpoint.random_states import read_random_states, set_random_states
from unitools.callbacks.held_rate import HeldRate
from unitools.callbacks.learning_rate_curve import RULES, LearningRateCurve
from unitools.callbacks.variable_copies import build_optimizer, copies, named, put_back, unnamed
from unitools.core.checks import check_choice, check_integer, check_number, fail
from unitools.core.component import Component, register


@register
class LearningRateFinder(Component, keras.callbacks.Callback):
    """Makes of a `fit` a range test: the learning rate rises from step to step until the loss diverges.

    Then the `fit` stops, and weights, optimizer, learning rate or schedule, seeds of layers and the generators of
    Python and NumPy are what they were before it: train afterwards as if it had not run. `curve` holds what was found.
    `find_learning_rate` is the same in one call.

    Why: the best rate differs by orders of magnitude between models and batch sizes, and a test of a hundred steps
    shows where the loss begins to fall and where it explodes.

    Give it the batches, loss and optimizer of the training to come, enough epochs for `steps` steps, and no other
    callback that changes weights or rate. It cannot put back the position of the data, which Keras does not tell a
    callback: `find_learning_rate` does it for those that have a position, such as `ut.data`'s batches.

    Args:
        low: First learning rate, > 0. Default 1e-7.
        high: Last learning rate, > `low`. Default 1. The rates between have equal ratios.
        steps: Steps of the test, >= 3. Default 100. With `steps_per_execution` as many calls of the step function.
        smoothing: Weight of a loss relative to the next one's in the smoothed loss, in [0, 1). Default 0.9.
        divergence: The test stops where the smoothed loss is this many times its lowest value, > 1, or a loss is not
            finite. Default 4.
        rule: "valley" (default) or "steepest", see `LearningRateCurve`.
        picture: File for the picture of the curve, such as "rates.png". Default None: none.

    Raises:
        ValueError: An argument is out of range. From `fit`: the model logs no loss, or the first loss is not finite.

    Example:
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    >>> model.compile("sgd", "mse")
    >>> finder = ut.callbacks.LearningRateFinder(1e-4, 1.0, steps=20)
    >>> _ = model.fit(np.ones((8, 2)), np.ones(8), epochs=20, verbose=0, callbacks=[finder])
    >>> 1e-4 <= finder.curve.suggestion <= 1.0, float(model.layers[0].kernel[0, 0])
    (True, 1.0)

    Source:
        Smith 2017, Cyclical Learning Rates for Training Neural Networks, https://arxiv.org/abs/1506.01186, section 3.3.
        There the rate rises linearly and the accuracy is watched; here, as in fastai, geometrically, and the loss.
    """

    # What was found, once a test has ended.
    curve: LearningRateCurve | None = None

    def __init__(
        self,
        low: float = 1e-7,
        high: float = 1.0,
        *,
        steps: int = 100,
        smoothing: float = 0.9,
        divergence: float = 4.0,
        rule: str = "valley",
        picture: str | os.PathLike | None = None,
    ):
        super().__init__()
        self.low = check_number("low", low, 0, open_low=True)
        self.high = check_number("high", high, self.low, open_low=True, advice="It must be above `low`.")
        self.steps = check_integer("steps", steps, 3)
        self.smoothing = check_number("smoothing", smoothing, 0, 1, open_high=True, advice="Use 0 to smooth nothing.")
        self.divergence = check_number("divergence", divergence, 1, open_low=True)
        self.rule = check_choice("rule", rule, RULES)
        if picture is not None and not (isinstance(picture, (str, os.PathLike)) and os.fspath(picture)):
            fail("picture", picture, "the path of a file", "Use None to write none.")
        self.picture = None if picture is None else os.fspath(picture)
        self._rates = np.geomspace(self.low, self.high, self.steps)
        self._losses, self._testing, self._rate = [], False, None

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Keep aside what the test will change, and take the learning rate in hand."""
        self._losses, self._testing, self.curve = [], True, None
        build_optimizer(self.model)
        variables = (*self.model.variables, *self.model.optimizer.variables)
        self._variables = list({id(variable): variable for variable in variables}.values())
        self._values, self._random_states = copies(self._variables), read_random_states()
        self._rate = HeldRate(self.model)

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Set the rate of the step, and forget the losses before it: Keras logs their mean."""
        if self._testing:
            self._rate.set(self._rates[len(self._losses)])
            self.model.reset_metrics()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Note the loss of the step, and end the test after the last one or where it diverges."""
        if not self._testing:
            return
        loss = (logs or {}).get("loss")
        if loss is None:
            self.restore()
            there = ", ".join(map(repr, logs or {}))
            fail("loss", None, f"among what the model logs, {there}", "Return it from `train_step`.")
        finite = math.isfinite(loss)
        if finite:
            self._losses.append(float(loss))
        if not finite or len(self._losses) == self.steps or self._has_diverged():
            self._end_test()
            self.model.stop_training = True

    def on_train_end(self, logs: dict | None = None) -> None:
        """Put everything back, once more where it was: a moving average is written to the weights when `fit` ends."""
        if self._testing and len(self._losses) < self.steps:
            warnings.warn(
                f"`fit` ended after {len(self._losses)} of the {self.steps} steps of the range test, at the rate "
                f"{self._rates[max(len(self._losses) - 1, 0)]:.2g}. Give it more epochs.",
                stacklevel=2,
            )
        if self._testing:
            self._end_test()
        self.restore()
        self._rate = self._variables = self._values = self._random_states = None

    def restore(self) -> None:
        """Put back what the test has changed. Call it yourself where `fit` ended with an error."""
        self._testing = False
        if self._rate is not None:
            self._rate.release()
            put_back(self._variables, self._values)
            set_random_states(self._random_states)

    def get_state(self) -> dict[str, Any]:
        """Return the losses so far, and while a test runs the random states that it will put back."""
        states = self._random_states if self._testing else None
        return {"losses": list(self._losses), "testing": self._testing, "random_states": states}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned."""
        self._losses, self._testing = list(state["losses"]), bool(state["testing"])
        if self._testing:
            self._random_states = state["random_states"]
        elif self._losses:
            self.curve = self._curve()

    def get_arrays(self) -> dict[str, np.ndarray]:
        """Return, while a test runs, the values that it will put back."""
        return named("value", self._values) if self._testing else {}

    def set_arrays(self, arrays: dict[str, np.ndarray]) -> None:
        """Put these values back when the test ends."""
        if self._testing:
            self._values = unnamed("value", arrays)

    def _has_diverged(self):
        smoothed = self._curve().smoothed
        lowest = min(smoothed)
        # For a positive loss: smoothed > divergence * lowest. A loss may be negative.
        return smoothed[-1] > lowest + (self.divergence - 1) * abs(lowest)

    def _curve(self):
        rates = self._rates[: len(self._losses)].tolist()
        return LearningRateCurve(rates, self._losses, self.smoothing, self.rule)

    def _end_test(self):
        self.restore()
        if not self._losses:
            raise ValueError(
                f"The loss must be finite at the first learning rate. Received low={self.low!r}, at which it is not. "
                "Look at the data and the loss, or begin at a lower rate."
            )
        self.curve = self._curve()
        if self.picture is not None:
            self.curve.save(self.picture)
