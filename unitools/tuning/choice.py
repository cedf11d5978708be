"""One of several values."""

from collections.abc import Mapping, Sequence
from typing import Any

from unitools.core.checks import fail
from unitools.tuning.domain import Domain, json_value


class Choice(Domain):
    """One of several values, between which no order is assumed.

    Args:
        values: The values: numbers, texts, None, or lists of them. A tuple reaches the trial as a list.
        when: Settings it depends on, such as {"optimizer": "sgd"}; elsewhere it is absent. Default None: always there.

    Raises:
        ValueError: There is no value, one is there twice, or JSON cannot hold one.

    Example:
    >>> ut.tuning.Choice(["sgd", "adam"]).contains("adam")
    True
    """

    def __init__(self, values: Sequence[Any], *, when: Mapping[str, Any] | None = None):
        super().__init__(when=when)
        if isinstance(values, (str, Mapping)) or not isinstance(values, Sequence) or not values:
            fail("values", values, "a list of one value or more", "A choice without values leaves nothing to try.")
        self.values = json_value("values", values)
        if any(_same(first, second) for index, first in enumerate(self.values) for second in self.values[:index]):
            fail("values", values, "values that differ", "Name each once.")

    def contains(self, value: Any) -> bool:
        """Return whether a value is one of those named. True is not 1."""
        return any(_same(value, known) for known in self.values)

    def index(self, value: Any) -> int:
        """Return the position of a value."""
        return next(index for index, known in enumerate(self.values) if _same(value, known))


def _same(first, second):
    return first == second and isinstance(first, bool) == isinstance(second, bool)
