"""The check of arguments that are lists of names."""

from collections.abc import Sequence

from unitools.core.checks import fail


def check_names(name: str, value: Sequence[str] | None, example: str) -> tuple[str, ...] | None:
    """Return `value` as a tuple, None as None, or raise if it is no list of names.

    Args:
        name: Name of the argument, for the message.
        value: The argument.
        example: A name it could hold, for the message.
    """
    if value is None:
        return None
    listed = isinstance(value, Sequence) and not isinstance(value, str)
    if not listed or not value or not all(isinstance(item, str) and item for item in value):
        fail(name, value, "a list of names", f"Write {name}=[{example!r}], or None for all.")
    return tuple(value)
