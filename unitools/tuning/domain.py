"""What a setting can be."""

import json
from collections.abc import Mapping
from typing import Any

from unitools.core.checks import fail


class Domain:
    """The values that one setting of a search can take. Base of `Choice`, `Integer`, `Number` and `Flag`.

    One of your own overrides `contains`; the engines ask for the four above by class.

    Args:
        when: Settings this one depends on, such as {"optimizer": "sgd"}, or {"optimizer": ["sgd", "rmsprop"]} where
            several values will do. Elsewhere the setting is absent from a trial. Default None: always there.

    Raises:
        ValueError: `when` is no dict of values.
    """

    def __init__(self, *, when: Mapping[str, Any] | None = None):
        self.when = _conditions(when)

    def contains(self, value: Any) -> bool:
        """Return whether a value belongs to the domain."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return the class and its arguments, as JSON values."""
        return {"domain": type(self).__name__} | vars(self)

    def __repr__(self):
        arguments = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if value != {})
        return f"{type(self).__name__}({arguments})"


def json_value(name: str, value: Any) -> Any:
    """Return a value as it comes back from JSON, a tuple as a list, or raise if JSON cannot hold it."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError):
        fail(name, value, "a value that JSON can hold", "Use numbers, texts, None, or lists and dicts of them.")


def _conditions(when):
    if when is None:
        return {}
    if not isinstance(when, Mapping) or not when:
        fail("when", when, "a dict from the name of a setting to its value or values", 'Write {"optimizer": "sgd"}.')
    listed = {name: list(value) if isinstance(value, (list, tuple)) else [value] for name, value in when.items()}
    return {name: json_value(f"when[{name!r}]", values) for name, values in listed.items()}
