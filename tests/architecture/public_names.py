"""What each public folder exports."""

import importlib
import inspect

from tests.architecture.source_tree import folders


def public_objects():
    """Return the functions and classes that the folders' `__all__` name and unitools defines, by dotted name."""
    found = {}
    for folder in folders():
        module = importlib.import_module(f"unitools.{folder}")
        for name in module.__all__:
            value = getattr(module, name)
            if (inspect.isfunction(value) or inspect.isclass(value)) and value.__module__.startswith("unitools."):
                found[f"unitools.{folder}.{name}"] = value
    return found
