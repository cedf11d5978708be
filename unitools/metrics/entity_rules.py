"""Where entities begin and end, as tables over pairs of neighbouring tags."""

import itertools

import numpy as np

from unitools.core.entity_tags import OUTSIDE, split_tag

START, INSIDE, END = 1, 2, 4


def entity_rules(tags, strict_scheme):
    """Return a table (before, now) of what a pair of neighbours means, and the number of each tag's type.

    The table holds sums of START (an entity may begin here), INSIDE (the entity goes on) and END (an entity that ends
    before this position is one). Row and column `len(tags)` are the outside of the sentence.

    Args:
        tags: Entity tags in the order of their numbers.
        strict_scheme: "iob2", "iob1" or "bioes", or None for the lenient reading, to which every sequence is entities.

    Returns:
        The table, the type's number by tag (the number of types where there is none), and the types in order.
    """
    parts = [*map(split_tag, tags), OUTSIDE]
    kinds = sorted({kind for _, kind in parts} - {""})
    table = np.zeros((len(parts), len(parts)), "int32")
    for (row, (before, kind_before)), (column, (now, kind)) in itertools.product(enumerate(parts), repeat=2):
        rule = _lenient if strict_scheme is None else _STRICT[strict_scheme]
        start, inside, end = rule(before, now, kind == kind_before)
        table[row, column] = START * start + INSIDE * inside + END * end
    numbers = [kinds.index(kind) if kind else len(kinds) for _, kind in parts]
    return table, np.asarray(numbers, "int32"), tuple(kinds)


def _lenient(before, now, same):
    start = now != "O" and (now in "BS" or before in "OES" or not same)
    return start, now != "O" and not start, True


def _iob2(before, now, same):
    return now == "B", now == "I" and before in "BI" and same, True


def _iob1(before, now, same):
    start = before in "OB" or not same if now == "I" else now == "B" and before in "BI" and same
    # A B has no place before an entity of another type, so what stands between two such B is none.
    return start, now == "I" and before in "BI" and same, not (before == now == "B") or same


def _bioes(before, now, same):
    return now in "BS", now in "IE" and before in "BI" and same, before in "ES"


_STRICT = {"iob2": _iob2, "iob1": _iob1, "bioes": _bioes}
