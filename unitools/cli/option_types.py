"""Values of the command line's options, checked as they are read."""

import argparse
from collections.abc import Callable


def integer_from(low: int) -> Callable[[str], int]:
    """Return a reader of integers from `low` to 2^31 - 1."""

    def read(text):
        try:
            number = int(text)
        except ValueError:
            number = None
        if number is None or not low <= number < 2**31:
            raise argparse.ArgumentTypeError(f"must be an integer from {low} to {2**31 - 1}, not {text!r}")
        return number

    return read


def rate(text: str) -> float:
    """Return a number above 0 and below 1."""
    number = _number(text)
    if number is None or not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"must be a number above 0 and below 1, not {text!r}")
    return number


def not_negative(text: str) -> float:
    """Return a number >= 0."""
    number = _number(text)
    if number is None or not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number >= 0, not {text!r}")
    return number


def _number(text):
    try:
        return float(text)
    except ValueError:
        return None
