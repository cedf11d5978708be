"""Yes or no."""

from typing import Any

from unitools.tuning.domain import Domain


class Flag(Domain):
    """True or False.

    Args:
        when: Settings it depends on, such as {"optimizer": "sgd"}; elsewhere it is absent. Default None: always there.

    Example:
    >>> ut.tuning.Flag().contains(1)
    False
    """

    def contains(self, value: Any) -> bool:
        """Return whether a value is True or False."""
        return isinstance(value, bool)
