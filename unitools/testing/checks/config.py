"""Promises about the config: it holds every argument, and gives the component back."""

import json

import keras

from unitools.testing.arguments import REQUIRED, argument_defaults, canonical
from unitools.testing.checks.check import promise
from unitools.testing.kinds import is_any
from unitools.testing.tensors import expect

_EXTRA = 5  # the value of the argument that a subclass adds; its default is 1


@promise(is_any)
def arguments_are_complete(specimen):
    """The specimen gives every argument a value other than its default, so that a lost one is noticed."""
    defaults = argument_defaults(specimen.cls)
    missing = sorted(set(defaults) - set(specimen.arguments))
    expect(not missing, f"`arguments` lacks {', '.join(missing)}. Give each a value other than its default.")
    for name, value in specimen.arguments.items():
        expect(name in defaults, f"`arguments` names `{name}`, which the constructor does not take.")
        same = defaults[name] is not REQUIRED and canonical(defaults[name]) == canonical(value)
        expect(not same, f"`arguments` gives `{name}` its default {value!r}. A lost argument would go unnoticed.")


@promise(is_any)
def config_holds_arguments(specimen):
    """The config holds every argument as it was given to the constructor."""
    config = specimen.build().get_config()
    for name, given in specimen.arguments.items():
        expect(name in config, f"the config lacks `{name}`")
        held = canonical(config[name])
        kept = held == canonical(given) or held not in (None, _held_by_default(specimen, name))
        expect(kept, f"`{name}` was given as {given!r}, and the config holds {config[name]!r}")


def _held_by_default(specimen, name):
    """Return what the config holds for an argument that was left out; None where it cannot be.

    A constructor may keep an argument in another form that it takes back, such as a pair for one number. It must then
    differ from the form that the default takes.
    """
    arguments = {key: value for key, value in specimen.arguments.items() if key != name}
    try:
        return canonical(specimen.cls(**arguments).get_config()[name])
    except (TypeError, ValueError):
        return None


@promise(is_any)
def config_survives_json(specimen):
    """A component written as JSON and read again has the same config."""
    component = specimen.build()
    expect_same_config(component, rebuilt(component))


@promise(is_any)
def subclass_argument_survives(specimen):
    """An argument that a subclass adds is saved without further code."""
    subclass = with_extra_argument(specimen.cls)
    component = rebuilt(subclass(extra=_EXTRA, **specimen.arguments))
    received = getattr(component, "extra", None)
    expect(
        received == _EXTRA, f"a subclass was built with extra={_EXTRA}, and came back from JSON with extra={received}"
    )


def with_extra_argument(cls: type) -> type:
    """Return a subclass whose constructor takes `extra=1` too."""

    def __init__(self, extra=1, **kwargs):
        cls.__init__(self, **kwargs)
        self.extra = extra

    return type(f"{cls.__name__}WithExtra", (cls,), {"__init__": __init__, "__module__": __name__})


def rebuilt(component):
    """Return the component after a trip through JSON."""
    text = json.dumps(keras.saving.serialize_keras_object(component))
    cls = type(component)
    return keras.saving.deserialize_keras_object(json.loads(text), custom_objects={cls.__name__: cls})


def expect_same_config(component, reloaded):
    """Raise an AssertionError naming the arguments that differ between a component and its reload."""
    expected, actual = canonical(component.get_config()), canonical(reloaded.get_config())
    for name in expected | actual:
        left, right = expected.get(name), actual.get(name)
        expect(left == right, f"`{name}` was {left!r} and came back as {right!r}")
