"""The component protocol: a config that follows from the constructor's signature, and one registration."""

import inspect

import keras

_REGISTERED = {}
_NAMED_KINDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class ComponentConfigError(TypeError):
    """A component's constructor and attributes do not agree, so its config would lose an argument."""


class Component:
    """Gives a Keras object a config that cannot lose an argument.

    Put it first among the bases of a `Layer`, `Wrapper`, `Model` (functional ones too), `Loss`, `Metric` or `Callback`.
    `get_config` then holds every argument of the constructor, read from the attribute of the same name, and
    `from_config` hands them back. A subclass that adds an argument needs no further code: Keras alone would drop the
    argument without a word as soon as a base class defines `get_config`.

    The constructor keeps each argument under its own name, and takes `**kwargs` for those of the Keras base class
    (`name`, `dtype`, `trainable`, `reduction`). Write `tuple(...)` around arguments that are sequences: JSON has lists
    only.

    Raises:
        ComponentConfigError: From `get_config`, if an argument was not kept, or cannot be kept.

    Example:
    >>> import keras
    >>> from unitools.core import Component, register
    >>> @register(package="docs")
    ... class Shift(Component, keras.layers.Layer):
    ...     def __init__(self, offset=1.0, **kwargs):
    ...         super().__init__(**kwargs)
    ...         self.offset = offset
    ...     def call(self, inputs):
    ...         return inputs + self.offset
    >>> Shift(2.5).get_config()["offset"]
    2.5
    """

    def get_config(self):
        """Return every argument of the constructor by name, as values that `keras.saving` can write."""
        names, takes_any = constructor_arguments(type(self))
        base = _keras_config(self)
        config = {name: value for name, value in base.items() if takes_any or name in names}
        return config | {name: _plain(self._argument(name)) for name in names if name not in base}

    def _argument(self, name):
        if name in vars(self) or hasattr(self, name):
            return getattr(self, name)
        raise ComponentConfigError(
            f"{type(self).__name__}.__init__ takes `{name}`, but the object has no attribute of that name, so the "
            f"argument would be lost on saving. Write `self.{name} = {name}` in the constructor."
        )

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Build the component from what `get_config` returned, before or after JSON."""
        with keras.saving.CustomObjectScope(custom_objects or {}):
            return cls(**{name: _revived(value) for name, value in config.items()})


def constructor_arguments(cls):
    """Return the names of the arguments `cls(...)` takes, up to the Keras base, and whether it takes others too.

    Follows `**kwargs` from each constructor to the next one along the method resolution order. Arguments of Keras'
    own base classes are left to their `get_config`.
    """
    names = {}
    for owner in cls.__mro__:
        if "__init__" not in vars(owner):
            continue
        if owner.__module__.partition(".")[0] == "keras":
            return list(names), True
        parameters = list(inspect.signature(owner.__init__).parameters.values())[1:]
        kinds = {parameter.kind for parameter in parameters}
        if inspect.Parameter.VAR_POSITIONAL in kinds or inspect.Parameter.POSITIONAL_ONLY in kinds:
            raise ComponentConfigError(
                f"{owner.__name__}.__init__ takes positional-only or `*` arguments, which a config cannot name. "
                "Give every argument a name."
            )
        names |= {parameter.name: None for parameter in parameters if parameter.kind in _NAMED_KINDS}
        if inspect.Parameter.VAR_KEYWORD not in kinds:
            return list(names), False
    return list(names), True


def _keras_config(component):
    """Return what the Keras base class knows: name, dtype, trainable, reduction, arguments of a Keras layer."""
    if isinstance(component, keras.Model):
        return keras.layers.Layer.get_config(component)
    above = super(Component, component)
    config = dict(above.get_config()) if hasattr(above, "get_config") else {}
    if isinstance(component, keras.losses.Loss):
        config["dtype"] = component.dtype  # Keras leaves it out, and a float64 loss comes back as float32
    return config


def _plain(value):
    """Return `value` with Keras objects written out, and the containers Keras tracks made ordinary again."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return keras.saving.serialize_keras_object(value)


def _revived(value):
    """Undo `_plain`. Keras hands a nested config over as it lies in the file."""
    if isinstance(value, dict):
        if "class_name" in value and "config" in value:
            return keras.saving.deserialize_keras_object(value)
        return {key: _revived(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_revived(item) for item in value)
    return value


def register(cls: type | None = None, *, package: str = "unitools") -> type:
    """Register a component under `package`, so that saved models find it again. A decorator, with or without call.

    Args:
        cls: The component class.
        package: Prefix of the registered name. Leave it as it is inside unitools; give your own elsewhere.

    Returns:
        The class itself.

    Raises:
        TypeError: `cls` is no `Component`.
        ValueError: Another class holds the name.
    """
    if cls is None:
        return lambda cls: register(cls, package=package)
    if not issubclass(cls, Component):
        raise TypeError(
            f"`register` takes subclasses of Component. Received {cls.__name__}. Put Component first in its bases."
        )
    name = f"{package}>{cls.__name__}"
    holder = _REGISTERED.get(name)
    if holder is not None and (holder.__module__, holder.__qualname__) != (cls.__module__, cls.__qualname__):
        raise ValueError(
            f"The name {name!r} is taken by {holder.__module__}.{holder.__qualname__}. Rename {cls.__module__}."
            f"{cls.__qualname__}, or register it under another `package`."
        )
    _REGISTERED[name] = keras.saving.register_keras_serializable(package=package)(cls)
    return cls


def registered_components(package: str = "unitools") -> dict[str, type]:
    """Return the classes registered so far, by registered name.

    Args:
        package: Prefix of the names.
    """
    return {name: cls for name, cls in _REGISTERED.items() if name.startswith(f"{package}>")}
