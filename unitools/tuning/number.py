"""A number in a range."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

from unitools.core.checks import check_flag, check_number, fail
from unitools.tuning.domain import Domain


class Number(Domain):
    """A number from `low` to `high`, both included.

    Args:
        low: Smallest value.
        high: Largest value.
        log: Whether it is the ratio of two values that counts, as for a learning rate. Default False.
        step: From one value to the next, > 0. Default None: any value of the range. Not with `log`.
        when: Settings it depends on, such as {"optimizer": "sgd"}; elsewhere it is absent. Default None: always there.

    Raises:
        ValueError: No value lies in the range, or `log` is asked for of values that are not above 0.

    Example:
    >>> ut.tuning.Number(1e-5, 1e-2, log=True).contains(3e-4)
    True
    """

    def __init__(
        self,
        low: float,
        high: float,
        *,
        log: bool = False,
        step: float | None = None,
        when: Mapping[str, Any] | None = None,
    ):
        super().__init__(when=when)
        self.low = check_number("low", low)
        self.high = check_number("high", high, self.low, advice="A range that ends before it begins has no value.")
        self.log = check_flag("log", log)
        self.step = None if step is None else check_number("step", step, 0, open_low=True)
        if self.log and self.low <= 0:
            fail("low", low, "> 0 where log=True", "Ratios need values above 0.")
        if self.log and self.step is not None:
            fail("step", step, "None where log=True", "Leave it out, or use log=False.")

    def contains(self, value: Any) -> bool:
        """Return whether a value is a number of the range, on a step up to rounding."""
        if not isinstance(value, Real) or isinstance(value, bool) or not self.low <= value <= self.high:
            return False
        steps = 0.0 if self.step is None else (value - self.low) / self.step
        return abs(steps - round(steps)) < 1e-6
