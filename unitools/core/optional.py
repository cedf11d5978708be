"""Packages that only some parts need."""

import importlib
from types import ModuleType


def require(module: str, extra: str, purpose: str) -> ModuleType:
    """Import an optional package, or say which extra brings it.

    Args:
        module: Dotted name of the module to import.
        extra: Name of the unitools extra that installs it.
        purpose: What needs it, as the subject of a sentence: "`ImageDataGenerator.flow_from_dataframe`".

    Returns:
        The imported module.

    Raises:
        ImportError: The package is missing. The message names the extra.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{purpose} needs the package {module.partition('.')[0]!r}, which is not installed. "
            f"Install it with: pip install 'unitools[{extra}]'"
        ) from error
