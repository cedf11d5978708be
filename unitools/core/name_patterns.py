"""What patterns of the names and paths of layers mean."""

import difflib
import fnmatch
from collections.abc import Sequence

from unitools.core.checks import fail


def as_patterns(name: str, value: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the patterns that an argument holds as a tuple, or raise."""
    patterns = (value,) if isinstance(value, str) else () if value is None else value
    if not isinstance(patterns, (list, tuple)) or not all(isinstance(item, str) and item for item in patterns):
        fail(name, value, "a pattern of layer names, or a list of such", 'For instance "block_*/attention_output".')
    return tuple(patterns)


def fits(path: str, pattern: str, *, inside: bool = False) -> bool:
    """Return whether a pattern means a path.

    Args:
        path: Names joined by "/".
        pattern: One name or several joined by "/", in which `*`, `?` and `[` stand for other signs than "/".
        inside: Whether the name of a layer means all that is inside it. Default False: it means the layer.
    """
    steps, wanted = path.split("/"), pattern.split("/")
    starts = range(len(steps) - len(wanted) + 1)
    return any(
        all(map(fnmatch.fnmatchcase, steps[start : start + len(wanted)], wanted))
        for start in (starts if inside else starts[-1:])
    )


def fitting(
    argument: str, patterns: Sequence[str], paths: Sequence[str], what: str, *, inside: bool = False
) -> set[str]:
    """Return the paths that the patterns mean, or raise for a pattern that means none.

    Args:
        argument: Name of the argument, for the message.
        patterns: The patterns.
        paths: What there is to choose from.
        what: What the paths are of, for the message: "the path of a layer with a kernel".
        inside: See `fits`.
    """
    found = set()
    for pattern in patterns:
        hits = {path for path in paths if fits(path, pattern, inside=inside)}
        if not hits:
            names = list(dict.fromkeys([*paths, *(path.rpartition("/")[2] for path in paths)]))
            close = difflib.get_close_matches(pattern, names, n=3, cutoff=0.4) or names[:5]
            fail(
                argument,
                pattern,
                f"a pattern that fits {what}",
                f"There are, for instance, {close}." if close else "There is none.",
            )
        found |= hits
    return found
