"""All settings of a search."""

from collections.abc import Mapping
from typing import Any

from unitools.core.checks import fail
from unitools.tuning.domain import Domain, json_value

_TAKEN = ("trial", "state", "score", "seconds", "error")


class Space:
    """The settings of a search: of data, model, regularization and training alike, some searched, some fixed.

    Args:
        settings: From the name of a setting to its domain, a `Choice`, `Integer`, `Number` or `Flag`, or to a fixed
            value that JSON can hold. A domain with `when` is part of a trial only where the settings it names have the
            values it names.

    Raises:
        ValueError: Nothing is left to search, or a condition that no trial can meet.

    Example:
    >>> space = ut.tuning.Space({
    ...     "epochs": 5,
    ...     "learning_rate": ut.tuning.Number(1e-4, 1e-1, log=True),
    ...     "optimizer": ut.tuning.Choice(["adam", "sgd"]),
    ...     "momentum": ut.tuning.Number(0, 0.99, when={"optimizer": "sgd"}),
    ... })
    >>> space.settings({"learning_rate": 0.1, "optimizer": "adam", "momentum": 0.5})
    {'epochs': 5, 'learning_rate': 0.1, 'optimizer': 'adam'}
    """

    def __init__(self, settings: Mapping[str, Any]):
        if not isinstance(settings, Mapping) or not all(isinstance(name, str) and name for name in settings):
            fail("settings", settings, "a dict from names to domains or values", 'Write {"units": Integer(8, 64)}.')
        taken = [name for name in settings if name in _TAKEN]
        if taken:
            fail("settings", taken[0], f"named otherwise than {', '.join(_TAKEN)}", "These are columns of the results.")
        domains = {name: item for name, item in settings.items() if isinstance(item, Domain)}
        if not domains:
            advice = "Give one a Choice, Integer, Number or Flag: fixed values leave nothing to search."
            fail("settings", dict(settings), "a dict with one domain or more", advice)
        self.fixed = {name: json_value(name, item) for name, item in settings.items() if name not in domains}
        self.domains = self._ordered(domains)
        self._names = tuple(settings)

    def settings(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a trial gets: the fixed values and, of those given, the ones whose conditions are met.

        Args:
            values: Values of the domains, by name. Those of absent settings are left out.

        Raises:
            ValueError: A value is missing or outside its domain.
        """
        chosen = dict(self.fixed)
        for name, domain in self.domains.items():
            if self.is_active(name, chosen):
                if name not in values or not domain.contains(values[name]):
                    fail(name, values.get(name), f"of {domain!r}", "Give each setting a value of its domain.")
                chosen[name] = values[name]
        return {name: chosen[name] for name in self._names if name in chosen}

    def is_active(self, name: str, chosen: Mapping[str, Any]) -> bool:
        """Return whether a setting is part of a trial, whose settings that come before it in `domains` are given."""
        conditions = self.domains[name].when
        return all(parent in chosen and chosen[parent] in values for parent, values in conditions.items())

    def to_dict(self) -> dict[str, Any]:
        """Return the space as JSON values."""
        return self.fixed | {name: domain.to_dict() for name, domain in self.domains.items()}

    def _ordered(self, domains):
        """Return the domains, each after those it depends on."""
        ordered, left = {}, dict(domains)
        while left:
            free = [name for name, item in left.items() if not set(item.when) & set(left)]
            if not free:
                fail("when", sorted(left), "conditions without a circle", "Let one of them be always there.")
            for name in free:
                ordered[name] = left.pop(name)
                self._check_conditions(name, ordered)
        return ordered

    def _check_conditions(self, name, ordered):
        for parent, values in ordered[name].when.items():
            if parent in ordered:
                possible = [value for value in values if ordered[parent].contains(value)]
            elif parent in self.fixed:
                possible = [value for value in values if value == self.fixed[parent]]
            else:
                fail("when", {parent: values}, "about settings of the space", f"{name!r} depends on {parent!r}.")
            if not possible:
                fail("when", {parent: values}, f"values that {parent!r} can take", f"{name!r} would be in no trial.")
