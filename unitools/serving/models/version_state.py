"""Where a version of a model stands."""

from dataclasses import dataclass


@dataclass(frozen=True)
class VersionState:
    """Where a version stands.

    Args:
        number: Its version.
        state: "LOADING", "AVAILABLE", "UNLOADING" or "END", as TensorFlow Serving calls them.
        error: Why it could not be loaded; "" where nothing is wrong.
    """

    number: int
    state: str
    error: str = ""
