"""Sizes that a request declares."""

import math

from unitools.serving.request_error import refuse

_MAX_EXTENT = 2**40


def check_extent(name: str, shape) -> None:
    """Refuse sizes that no array can have: an axis of size 0 makes all others look cheap.

    Raises:
        RequestError: 400: the other axes declare more than 2^40 elements.
    """
    if math.prod(side or 1 for side in shape) > _MAX_EXTENT:
        refuse(name, tuple(shape), f"of sizes whose product, but for zeros, is at most {_MAX_EXTENT}")
