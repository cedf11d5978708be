"""Argument checks whose messages say what was given, what was expected and what to do."""

import math
from collections.abc import Sequence
from numbers import Integral, Real


def fail(name, value, expected, advice=""):
    """Raise the house's `ValueError`: expectation, received value, advice."""
    raise ValueError(f"`{name}` must be {expected}. Received {name}={value!r}. {advice}".rstrip())


def check_number(name, value, low=-math.inf, high=math.inf, *, open_low=False, open_high=False, advice=""):
    """Return `value` as a float, or raise if it is no number in the interval."""
    left = "(" if open_low or low == -math.inf else "["
    right = ")" if open_high or high == math.inf else "]"
    number = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    if not number or value < low or value > high or (open_low and value == low) or (open_high and value == high):
        fail(name, value, f"a number in {left}{low}, {high}{right}", advice)
    return float(value)


def check_integer(name, value, low=-math.inf, high=math.inf, *, advice=""):
    """Return `value` as an int, or raise if it is no integer from `low` to `high`."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < low or value > high:
        bounds = f" >= {low}" if high == math.inf else f" from {low} to {high}"
        fail(name, value, "an integer" + ("" if low == -math.inf and high == math.inf else bounds), advice)
    return int(value)


def check_index(index, size):
    """Return the position in 0 to size - 1 that `index` means, negative ones counted from the end, or raise."""
    index = check_integer("index", index)
    if not -size <= index < size:
        raise IndexError(f"`index` must be from {-size} to {size - 1}. Received index={index}.")
    return index % size


def check_flag(name, value):
    """Return `value`, or raise if it is not True or False."""
    if not isinstance(value, bool):
        fail(name, value, "True or False")
    return value


def check_choice(name, value, choices, advice=""):
    """Return `value`, or raise if it is none of `choices`."""
    if value not in choices:
        fail(name, value, "one of " + ", ".join(repr(choice) for choice in choices), advice)
    return value


def check_span(name, value, low=-math.inf, high=math.inf, *, around=None, advice=""):
    """Return `value` as a (lower, upper) pair of floats.

    Args:
        name: Name of the argument, for the message.
        value: A pair, or, where `around` is given, one number r >= 0 that stands for (around - r, around + r).
        low: Smallest allowed lower end.
        high: Largest allowed upper end.
        around: Centre of the interval that a single number describes.
        advice: What to do, for the message.
    """
    expected = f"a pair (lower, upper) with {low} <= lower <= upper <= {high}"
    if around is not None and isinstance(value, Real) and not isinstance(value, bool) and value >= 0:
        pair = (around - value, around + value)
    elif isinstance(value, Sequence) and len(value) == 2 and all(isinstance(end, Real) for end in value):
        pair = tuple(value)
    else:
        fail(
            name,
            value,
            expected + ("" if around is None else f", or one number r >= 0 for {around} - r to {around} + r"),
            advice,
        )
    if not low <= pair[0] <= pair[1] <= high:
        fail(name, value, expected, advice)
    return float(pair[0]), float(pair[1])
