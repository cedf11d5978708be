"""Which tag may follow which."""

import itertools
from collections.abc import Sequence

from unitools.core.entity_tags import OUTSIDE, check_tags, resolve_scheme, split_tag


def allowed_transitions(tags: Sequence[str], *, scheme: str = "auto") -> tuple[tuple[bool, ...], ...]:
    """Return which tag may follow which, as `CRF(allowed=...)` takes it.

    Args:
        tags: Entity tags in the order of their numbers, such as ["O", "B-PER", "I-PER"].
        scheme: "iob2", "iob1" or "bioes". Default "auto": "bioes" if a tag has the prefix E or S, else "iob2".

    Returns:
        Rows and columns for each tag and one more: row i, column j says whether tag j may follow tag i, the last row
        whether a sentence may begin with tag j, the last column whether it may end with tag i.

    Raises:
        ValueError: A tag is no entity tag, or has a prefix that the scheme lacks.

    Example:
    >>> import unitools as ut
    >>> for row in ut.heads.allowed_transitions(["O", "B-PER", "I-PER"]):
    ...     print(row)
    (True, True, False, True)
    (True, True, True, True)
    (True, True, True, True)
    (True, True, False, True)
    """
    tags = check_tags("tags", tags)
    rule = _RULES[resolve_scheme(scheme, tags)]
    parts = [*map(split_tag, tags), OUTSIDE]
    size = len(parts)
    cells = [
        rule(before, now, kind == kind_before) for (before, kind_before), (now, kind) in itertools.product(parts, parts)
    ]
    return tuple(tuple(cells[row * size : (row + 1) * size]) for row in range(size))


def _iob2(before, now, same):
    return now != "I" or (before in "BI" and same)


def _iob1(before, now, same):
    return now != "B" or (before in "BI" and same)


def _bioes(before, now, same):
    return now in "IE" and same if before in "BI" else now in "OBS"


_RULES = {"iob2": _iob2, "iob1": _iob1, "bioes": _bioes}
