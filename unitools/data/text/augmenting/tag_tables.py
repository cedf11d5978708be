"""What the numbers of tags mean, as arrays."""

from dataclasses import dataclass

import numpy as np

from unitools.core.entity_tags import split_tag


@dataclass(frozen=True)
class TagTables:
    """What the numbers of tags mean, as arrays by number.

    Args:
        kinds: Number of the entity type of each tag, -1 for O.
        opens: Whether an entity may go on after the tag: B and I.
        continues: Whether an entity may go on with the tag: I and E.
        numbers: int32 array (types, 4), the tag of each type by prefix, in the order BIES; -1 where there is none.
    """

    kinds: np.ndarray
    opens: np.ndarray
    continues: np.ndarray
    numbers: np.ndarray

    @classmethod
    def from_tags(cls, tags, names):
        """Return the tables of `tags`, whose types are numbered in the order of `names`."""
        parts = [split_tag(tag) for tag in tags]
        places = {name: number for number, name in enumerate(names)}
        kinds = np.array([places.get(kind, -1) for _, kind in parts], np.int32)
        numbers = np.full((len(names), 4), -1, np.int32)
        for number, (prefix, kind) in enumerate(parts):
            if kind:
                numbers[places[kind], "BIES".index(prefix)] = number
        flags = [np.array([prefix in tuple(letters) for prefix, _ in parts]) for letters in ("BI", "IE")]
        return cls(kinds, *flags, numbers)
