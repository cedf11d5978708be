"""A whole number in a range."""

from collections.abc import Mapping
from numbers import Integral
from typing import Any

from unitools.core.checks import check_flag, check_integer, fail
from unitools.tuning.domain import Domain


class Integer(Domain):
    """A whole number from `low` to `high`, both included.

    Args:
        low: Smallest value.
        high: Largest value.
        log: Whether it is the ratio of two values that counts, as for units of a layer: 16 to 32 is as far as 32 to 64.
            Default False.
        step: From one value to the next, >= 1. Default 1. With `log` it must be 1.
        when: Settings it depends on, such as {"optimizer": "sgd"}; elsewhere it is absent. Default None: always there.

    Raises:
        ValueError: No value lies in the range, or `log` is asked for of values that are not above 0.

    Example:
    >>> ut.tuning.Integer(16, 256, log=True).contains(300)
    False
    """

    def __init__(
        self,
        low: int,
        high: int,
        *,
        log: bool = False,
        step: int = 1,
        when: Mapping[str, Any] | None = None,
    ):
        super().__init__(when=when)
        self.low = check_integer("low", low)
        self.high = check_integer("high", high, self.low, advice="A range that ends before it begins has no value.")
        self.log = check_flag("log", log)
        self.step = check_integer("step", step, 1)
        if self.log and self.low < 1:
            fail("low", low, ">= 1 where log=True", "Ratios need values above 0.")
        if self.log and self.step != 1:
            fail("step", step, "1 where log=True", "Leave it out, or use log=False.")

    def contains(self, value: Any) -> bool:
        """Return whether a value is a whole number of the range."""
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        return whole and self.low <= value <= self.high and (value - self.low) % self.step == 0
