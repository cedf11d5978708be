"""The class names that the labels of a table stand for."""

from unitools.core.checks import fail
from unitools.data.class_folders import UnknownClassError


def collect_names(labels):
    """Return the labels that occur, in the order of their numbers: by value if all are integers, else by alphabet."""
    names = set(labels)
    integers = all(name.removeprefix("-").isdecimal() and name.isascii() for name in names)
    return tuple(sorted(names, key=(lambda name: (int(name), name)) if integers else None))


def checked_names(class_names):
    """Return given class names as a tuple, or raise unless they are distinct strings."""
    names = list(class_names) if isinstance(class_names, (list, tuple)) else []
    if not names or not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        expected = "a list of distinct strings"
        fail("class_names", class_names, expected, "Give the `class_names` of the training file's reader.")
    return tuple(names)


def check_known(path, lines, labels, class_names):
    """Raise for labels that are not in `class_names`, with the line where the first one stands."""
    known, unknown = set(class_names), {}
    for line, label in zip(lines, labels, strict=True):
        if label not in known:
            unknown.setdefault(label, line)
    if unknown:
        places = ", ".join(f"{label!r} (first in line {line})" for label, line in unknown.items())
        raise UnknownClassError(
            f"`class_names` must name every label of {str(path)!r}. It lacks {places}; it has {list(class_names)}. "
            "Remove those rows, or add the classes to the data the names come from."
        )


def label_name(cell):
    """Return a label as a string; those of JSON as JSON writes them."""
    return str(cell).lower() if isinstance(cell, bool) else str(cell).strip()
