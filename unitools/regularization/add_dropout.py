"""Dropout in an existing model."""

from collections.abc import Sequence
from typing import Any

import keras

from unitools.core.checks import check_choice, check_integer, check_number, fail
from unitools.core.name_patterns import as_patterns, fitting
from unitools.regularization.drop_block import DropBlock
from unitools.regularization.drop_path import DropPath
from unitools.regularization.layer_call import check_graph, layer_calls
from unitools.regularization.placement_report import PlacementReport
from unitools.regularization.rewired import called, rewired

_SPATIAL = {3: keras.layers.SpatialDropout1D, 4: keras.layers.SpatialDropout2D, 5: keras.layers.SpatialDropout3D}
_KINDS = {
    "dropout": keras.layers.Dropout,
    "spatial": _SPATIAL,
    "alpha": keras.layers.AlphaDropout,
    "gaussian": keras.layers.GaussianDropout,
    "block": DropBlock,
    "path": DropPath,
}


def add_dropout(
    model: keras.Model,
    rate: float,
    kind: str = "dropout",
    *,
    after: str | Sequence[str],
    seed: int | None = None,
) -> keras.Model:
    """Return the model with dropout after some of its layers. Layers and weights are shared with the old one.

    The outputs at inference are the old model's. Nested functional and sequential models are opened; what a composite
    or subclassed layer does inside cannot be. A backbone of unitools comes back as one. The new model is not compiled.

    Args:
        model: A functional model, or a sequential one that has been built.
        rate: Share to drop, in [0, 1).
        kind: What to drop. "dropout" (default): values. "spatial": whole channels, of sequences, maps or volumes.
            "alpha": values so that mean and variance stay, for SELU nets. "gaussian": none, they are multiplied by
            noise. "block": squares of 7 x 7 in maps (`DropBlock`). "path": examples (`DropPath`), for the end of a
            residual branch.
        after: Names or paths of layers, or patterns of them ("conv4_*"). The name of a nested model means its output;
            "backbone/*" the layers in it.
        seed: Seed of the first place; each next one has the next number. Default None: random.

    Returns:
        The new model. Its `placement_report` says what stands where.

    Raises:
        ValueError: `rate` or `kind` is not allowed, a pattern fits no layer, a layer's output cannot be dropped so, or
            it has this dropout already.
        TypeError: `model` is no Keras model.

    Example:
    >>> net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, name="hidden"), keras.layers.Dense(2)])
    >>> dropping = ut.regularization.add_dropout(net, 0.5, after="hidden")
    >>> [layer.name for layer in dropping.layers][1:3]
    ['hidden', 'hidden_dropout']
    """
    check_number("rate", rate, 0, 1, open_high=True, advice="Leave the model as it is for no dropout.")
    check_choice("kind", kind, tuple(_KINDS))
    first = None if seed is None else check_integer("seed", seed)
    calls = layer_calls(check_graph(model))
    chosen = fitting("after", as_patterns("after", after), [call.path for call in calls], "the path of a layer")
    calls = [call for call in calls if call.path in chosen]
    if not calls:
        fail("after", after, "the name of a layer, or a pattern that fits one")
    layers, changes = {}, {}
    for call in calls:
        if call.path not in layers:
            layers[call.path] = _layer(call, rate, kind, None if first is None else first + len(layers))
        changes[id(call.node)] = _then(layers[call.path])
    changed = rewired(model, changes)
    name = type(next(iter(layers.values()))).__name__
    changed.placement_report = PlacementReport(name, tuple(layers), (float(rate),) * len(layers))
    return changed


def _layer(call, rate, kind, seed):
    name = f"{call.layer.name}_{kind}" if kind == "dropout" else f"{call.layer.name}_{kind}_dropout"
    if any(name == layer.name for layer in call.graph.layers):
        fail("after", call.path, "a layer without this dropout", f"{name!r} stands there already: add it once.")
    tensor = _output(call)
    options: dict[str, Any] = {"name": name, "seed": seed, "dtype": tensor.dtype}
    cls = _KINDS[kind]
    if kind == "spatial":
        cls = _SPATIAL.get(len(tensor.shape))
    if cls is None or (kind == "block" and len(tensor.shape) != 4):
        fail("kind", kind, f"one for outputs of shape {tuple(tensor.shape)}, those of {call.path!r}")
    return cls(rate, **options)


def _output(call):
    outputs = call.node.outputs
    if len(outputs) != 1 or "float" not in keras.backend.standardize_dtype(outputs[0].dtype):
        fail("after", call.path, "a layer with one output of floats", f"It has {[item.dtype for item in outputs]}.")
    return outputs[0]


def _then(dropout):
    return lambda node, layer, tensors: dropout(called(node, layer, tensors))
