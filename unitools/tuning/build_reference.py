"""How a function reaches another process."""

import base64
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from unitools.core.checks import fail

_ADVICE = (
    "A process can be given a function that a module or a script holds at its top level, or, where cloudpickle is "
    "installed, one that cloudpickle can pickle, as from a notebook."
)


def build_reference(name: str, function: Callable) -> dict[str, Any]:
    """Return what another process needs to find a function, as JSON values.

    By its module and name where it stands in one; in a script by the script's path; else pickled by cloudpickle.

    Args:
        name: Name of the argument, for messages.
        function: The function.

    Raises:
        TypeError: It cannot be called.
        ValueError: It can be sent in no way.
    """
    if not callable(function):
        raise TypeError(f"`{name}` must be a function of (settings, trial). Received {name}={function!r}. {_ADVICE}")
    module, path = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if module == "__main__" and _found(sys.modules["__main__"], path) is function:
        main = sys.modules["__main__"]
        if main.__spec__ is not None:
            return {"module": main.__spec__.name, "name": path}
        if getattr(main, "__file__", None) and Path(main.__file__).is_file():
            return {"script": str(Path(main.__file__).resolve()), "name": path}
    elif module is not None and _importable(module, path) is function:
        return {"module": module, "name": path}
    return {"pickle": _pickled(name, function), "name": path or repr(function)}


def _found(holder, path):
    for part in (path or "").split("."):
        holder = getattr(holder, part, None)
    return holder


def _importable(module, path):
    try:
        return _found(importlib.import_module(module), path)
    except ImportError:
        return None


def _pickled(name, function):
    try:
        cloudpickle = importlib.import_module("cloudpickle")
    except ModuleNotFoundError:
        fail(name, function, "importable by name, since cloudpickle is not installed", _ADVICE)
    try:
        return base64.b64encode(cloudpickle.dumps(function)).decode()
    except Exception as error:
        raise ValueError(
            f"`{name}` must be importable by name, or be pickled by cloudpickle. Received {name}={function!r}, and "
            f"cloudpickle says: {error}. {_ADVICE}"
        ) from error
