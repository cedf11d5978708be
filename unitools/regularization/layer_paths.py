"""The calls of a model's layers, nested models opened, and what patterns of their paths mean."""

import difflib
import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from unitools.core.checks import fail
from unitools.core.layers.call_graph import nodes_in_order


@dataclass(frozen=True, eq=False)
class LayerCall:
    """One call of a layer or an operation in a model's graph.

    Args:
        path: Names of the nested models on the way and of the layer, joined by "/".
        node: The call, as Keras keeps it.
        graph: The model whose graph it is in: the model itself, or a nested one.
    """

    path: str
    node: Any
    graph: keras.Model

    @property
    def layer(self) -> Any:
        """The layer or operation that is called."""
        return self.node.operation


def has_graph(layer: Any) -> bool:
    """Return whether this is a functional model, or a sequential one that has been built."""
    return isinstance(layer, keras.Model) and bool(getattr(layer, "inputs", None))


def check_graph(model: Any) -> keras.Model:
    """Return the model, or raise if it has no graph that could be changed."""
    if not isinstance(model, keras.Model):
        raise TypeError(f"`model` must be a Keras model. Received {type(model).__name__}. Give the model it is in.")
    if not has_graph(model):
        advice = "A subclassed model has no graph: wrap the layers where it makes them."
        fail("model", model.name, "functional, or sequential and built", advice)
    return model


def layer_calls(model: keras.Model) -> list[LayerCall]:
    """Return the calls of the model from input to output, those inside nested models after the nested model's own."""
    return list({id(call.node): call for call in _walk(model, "")}.values())


def _walk(model, prefix) -> Iterator[LayerCall]:
    for node in nodes_in_order(model):
        if not node.is_input:
            path = f"{prefix}{node.operation.name}"
            yield LayerCall(path, node, model)
            if has_graph(node.operation):
                yield from _walk(node.operation, f"{path}/")


def as_patterns(argument: str, value: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return an argument's patterns as a tuple, or raise if they are none."""
    patterns = (value,) if isinstance(value, str) else () if value is None else value
    if not isinstance(patterns, (list, tuple)) or not all(isinstance(item, str) and item for item in patterns):
        fail(argument, value, "a pattern of names, or a list of such", 'For instance "conv4_*".')
    return tuple(patterns)


def fitting(
    argument: str, patterns: Sequence[str], paths: Sequence[str], what: str, *, inside: bool = False
) -> set[str]:
    """Return the paths that the patterns fit, or raise for a pattern that fits none.

    Args:
        argument: Name of the argument, for the message.
        patterns: Names, or several joined by "/", in which `*`, `?` and `[` stand for other signs.
        paths: What there is to choose from.
        what: What the paths are of, for the message.
        inside: Whether the name of a layer means all that is in it. Default False: it means the layer.
    """
    chosen = set()
    for pattern in patterns:
        found = {path for path in paths if _fits(path, pattern, inside)}
        if not found:
            names = list(dict.fromkeys([*paths, *(path.rpartition("/")[2] for path in paths)]))
            near = difflib.get_close_matches(pattern, names, n=3, cutoff=0.4) or names[:5]
            fail(argument, pattern, f"a pattern that fits {what}", f"Near it are {near}." if near else "There is none.")
        chosen |= found
    return chosen


def _fits(path, pattern, inside):
    """Whether consecutive names of the path fit those of the pattern: the last ones, or any."""
    steps, wanted = path.split("/"), pattern.split("/")
    starts = range(len(steps) - len(wanted) + 1)
    starts = starts if inside else starts[-1:]
    return any(all(map(fnmatch.fnmatchcase, steps[start : start + len(wanted)], wanted)) for start in starts)
