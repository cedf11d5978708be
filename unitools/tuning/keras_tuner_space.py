"""A space as KerasTuner has it."""

import contextlib
from typing import Any

from unitools.core.optional import require
from unitools.tuning.choice import Choice
from unitools.tuning.flag import Flag
from unitools.tuning.integer import Integer
from unitools.tuning.space import Space


def hyperparameters(space: Space) -> Any:
    """Return the domains as KerasTuner's `HyperParameters`; choices by their positions, as it takes no lists or None.

    Args:
        space: The space.
    """
    found = require("keras_tuner", "tune", "`KerasTunerEngine`").HyperParameters()
    for name, domain in space.domains.items():
        with contextlib.ExitStack() as scopes:
            for parent, values in _conditions(space, name):
                scopes.enter_context(found.conditional_scope(parent, values))
            _add(found, name, domain)
    return found


def encoded(space: Space, settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings as KerasTuner has them, without the fixed ones."""
    domains = {name: space.domains[name] for name in settings if name in space.domains}
    return {name: _encode(domain, settings[name]) for name, domain in domains.items()}


def decoded(space: Space, values: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a trial, given what KerasTuner proposed."""
    known = {name: domain for name, domain in space.domains.items() if name in values}
    return space.settings({name: _decode(domain, values[name]) for name, domain in known.items()})


def _conditions(space, name):
    """Return (parent, values) of all that must hold, those of the parents first: KerasTuner nests its scopes."""
    found = []
    for parent, values in space.domains[name].when.items():
        if parent in space.domains:
            domain = space.domains[parent]
            own = (parent, [_encode(domain, value) for value in values if domain.contains(value)])
            found += [item for item in (*_conditions(space, parent), own) if item not in found]
    return found


def _add(found, name, domain):
    if isinstance(domain, Choice):
        found.Choice(name, list(range(len(domain.values))), ordered=False)
    elif isinstance(domain, Flag):
        found.Boolean(name)
    else:
        kind = found.Int if isinstance(domain, Integer) else found.Float
        sampling = "log" if domain.log else "linear"
        kind(name, domain.low, domain.high, step=None if domain.log else domain.step, sampling=sampling)


def _encode(domain, value):
    return domain.index(value) if isinstance(domain, Choice) else value


def _decode(domain, value):
    return domain.values[value] if isinstance(domain, Choice) else value
