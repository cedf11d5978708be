"""The layers of a model from input to output, nested models opened."""

import difflib
import fnmatch

import keras

from unitools.core.checks import check_integer, fail


def ordered_layers(model, prefix=""):
    """Return [(path, layer)] from input to output. A path names the nested models on the way: "backbone/conv1".

    Functional and sequential models are opened. Any other layer is one unit, with all that it holds.
    """
    found = []
    for layer in model.layers:
        path = f"{prefix}{layer.name}"
        found += ordered_layers(layer, f"{path}/") if _is_container(layer) else [(path, layer)]
    return found


def containers(model):
    """Return the model and the nested models that `ordered_layers` opens."""
    nested = [inner for layer in model.layers if _is_container(layer) for inner in containers(layer)]
    return [model, *nested]


def matches(argument, value, order):
    """Return the positions in `order` of the layers that a name, path or pattern means, or raise."""
    is_pattern = any(sign in value for sign in "*?[")
    found = [number for number, (path, _) in enumerate(order) if _fits(path, value, is_pattern)]
    if not found:
        names = [path for path, _ in order]
        close = difflib.get_close_matches(value, names + [path.rpartition("/")[2] for path in names], n=3)
        near = f"Did you mean {', '.join(map(repr, dict.fromkeys(close)))}? " if close else ""
        advice = f"{near}See model.summary(expand_nested=True)."
        fail(argument, value, "the name of a layer, or a pattern that fits one", advice)
    paths = [order[number][0] for number in found]
    exact = [number for number in found if order[number][0] == value]
    if not is_pattern and not exact and len({_owner(path, value) for path in paths}) > 1:
        fail(argument, value, "the name of one layer", f"It means {', '.join(map(repr, paths))}: give the path.")
    return exact or found


def count_of_weighted(argument, value, order):
    """Return the positions of layers with weights, after a check that `value` is a count of them."""
    weighted = [number for number, (_, layer) in enumerate(order) if layer.weights]
    check_integer(argument, value, -len(weighted), len(weighted), advice="It counts layers with weights.")
    return weighted


def _is_container(layer):
    return isinstance(layer, keras.Sequential) or (isinstance(layer, keras.Model) and hasattr(layer, "operations"))


def _fits(path, value, is_pattern):
    """Whether the layer itself, or a nested model around it, has the name or path."""
    steps = path.split("/")
    names = [*steps, *("/".join(steps[: end + 1]) for end in range(len(steps)))]
    return any(fnmatch.fnmatchcase(name, value) if is_pattern else name == value for name in names)


def _owner(path, value):
    """Return the path up to the step called `value`: equal for all layers of one nested model."""
    steps = path.split("/")
    return "/".join(steps[: steps.index(value) + 1]) if value in steps else path
