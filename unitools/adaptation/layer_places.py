"""Every layer inside a model, at any depth, by a path; and what patterns of such paths mean."""

import difflib
import fnmatch
import re
from collections.abc import Sequence

import keras

from unitools.adaptation.adapter_slot import AdapterSlot
from unitools.adaptation.place import Place
from unitools.core.checks import fail


def places(model: keras.Model) -> list[Place]:
    """Return the model's layers, those inside composite layers too, each one once; the model itself first."""
    found = [Place("", "", model)]
    _walk(found[0], found, {id(model)})
    return found


def children(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Return the layers right inside a layer, adapters apart."""
    inner = layer.layers if isinstance(layer, keras.Model) else layer._layers
    return [child for child in inner if not isinstance(child, AdapterSlot)]


def _walk(place, found, seen):
    inner = children(place.layer)
    for child, title in zip(inner, _titles(inner), strict=True):
        if id(child) not in seen:
            seen.add(id(child))
            found.append(Place(_joined(place.path, child.name), _joined(place.title, title), child))
            _walk(found[-1], found, seen)


def _titles(layers):
    """Return names that are distinct, and do not depend on what else the process has built."""
    counts, titles = {}, []
    for layer in layers:
        kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", type(layer).__name__).lower()
        title = kind if re.fullmatch(rf"{kind}(_\d+)?", layer.name) else layer.name
        counts[title] = counts.get(title, -1) + 1
        titles.append(f"{title}#{counts[title]}" if counts[title] else title)
    return titles


def _joined(path, name):
    return f"{path}/{name}" if path else name


def as_patterns(name: str, value: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the patterns that an argument holds as a tuple, or raise."""
    patterns = (value,) if isinstance(value, str) else () if value is None else value
    if not isinstance(patterns, (list, tuple)) or not all(isinstance(item, str) and item for item in patterns):
        fail(name, value, "a pattern of layer names, or a list of such", 'For instance "block_*/attention_output".')
    return tuple(patterns)


def fits(path: str, pattern: str, *, inside: bool) -> bool:
    """Return whether a pattern means a path.

    Args:
        path: Names joined by "/".
        pattern: One name or several joined by "/", in which `*`, `?` and `[` stand for other signs than "/".
        inside: Whether the name of a layer means all that is inside it too.
    """
    steps, wanted = path.split("/"), pattern.split("/")
    starts = range(len(steps) - len(wanted) + 1)
    return any(
        all(map(fnmatch.fnmatchcase, steps[start : start + len(wanted)], wanted))
        for start in (starts if inside else starts[-1:])
    )


def chosen(argument: str, patterns: Sequence[str], paths: Sequence[str], what: str, *, inside: bool) -> set[str]:
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
            fail(argument, pattern, f"a pattern that fits {what}", f"There are, for instance, {close}.")
        found |= hits
    return found
