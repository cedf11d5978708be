"""Promises about bad arguments."""

from unitools.testing.checks.check import promise
from unitools.testing.kinds import has_bad_values
from unitools.testing.tensors import expect


@promise(has_bad_values)
def bad_values_are_named(specimen):
    """A bad argument raises a ValueError or TypeError that names the argument and the value."""
    for name, value in specimen.bad.items():
        text = _refusal(specimen, name, value)
        expect(name in text, f"the error for {name}={value!r} does not name the argument: {text}")
        shown = repr(value) in text or str(value) in text
        expect(shown, f"the error for {name}={value!r} does not show the value: {text}")


def _refusal(specimen, name, value):
    try:
        specimen.build(**{name: value})
    except (ValueError, TypeError) as error:
        return str(error)
    raise AssertionError(f"the constructor takes {name}={value!r} without an error")
