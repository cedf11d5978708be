"""One module a folder of unitools, each with a list SPECIMENS. A new module here is found by itself."""

import importlib
import pkgutil


def all_specimens():
    """Return the specimens of every module beside this file."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return [specimen for module in modules for specimen in module.SPECIMENS]
