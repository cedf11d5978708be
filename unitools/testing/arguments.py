"""The arguments of a constructor, and their values in a form that can be compared."""

import inspect
import json
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from unitools.core.component import constructor_arguments

REQUIRED = inspect.Parameter.empty
_KERAS_OWN = ("name", "dtype", "trainable")
_NAMED_KINDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_UNSTABLE = ("build_config", "shared_object_id")


def argument_defaults(cls: type) -> dict[str, Any]:
    """Return the default of every constructor argument but Keras' own; `REQUIRED` for those without."""
    if cls.__module__.partition(".")[0] == "keras":
        owners, names = [cls], list(_named(cls))
    else:
        owners, names = _owners(cls), constructor_arguments(cls)[0]
    defaults = {}
    for owner in reversed(owners):
        defaults |= _named(owner)
    return {name: defaults[name] for name in names if name not in _KERAS_OWN}


def _owners(cls):
    return [
        owner for owner in cls.__mro__ if "__init__" in vars(owner) and owner.__module__.partition(".")[0] != "keras"
    ]


def _named(owner):
    parameters = inspect.signature(owner.__init__).parameters.values()
    return {item.name: item.default for item in parameters if item.kind in _NAMED_KINDS and item.name != "self"}


def canonical(value: Any) -> Any:
    """Return a value as JSON would hold it, so that an argument can be compared with what became of it."""
    if isinstance(value, Mapping):
        return {str(key): canonical(item) for key, item in value.items() if key not in _UNSTABLE}
    if isinstance(value, (list, tuple)):
        return [canonical(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return canonical(value.tolist())
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    written = keras.saving.serialize_keras_object(value)
    return canonical(json.loads(json.dumps(written))) if isinstance(written, Mapping) else written
