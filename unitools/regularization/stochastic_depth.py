"""Stochastic depth over a whole model."""

from collections.abc import Sequence

import keras

from unitools.core.checks import check_choice, check_integer, check_number, fail
from unitools.core.layers.call_graph import node_of
from unitools.core.name_patterns import as_patterns, fitting
from unitools.regularization.drop_path import DropPath
from unitools.regularization.layer_call import check_graph, layer_calls
from unitools.regularization.layer_drop import LayerDrop
from unitools.regularization.layer_wrapper import innermost, wrapped_by
from unitools.regularization.placement_report import PlacementReport
from unitools.regularization.residual import Residual, find_residuals
from unitools.regularization.rewired import called, in_place, rewired


def stochastic_depth(
    model: keras.Model,
    rate: float,
    *,
    schedule: str = "linear",
    blocks: str | Sequence[str] | None = None,
    seed: int | None = None,
) -> keras.Model:
    """Return the model with its residual blocks passed by at random in training. Layers and weights are shared.

    A block is passed by for each example by itself. The outputs at inference are the old model's. Where a block is
    residual is found in two ways:

    - Additions in the graph (`keras.layers.Add`, `x + y`), as in ResNet, MobileNet, EfficientNet, ConvNeXt. `DropPath`
      is put before the addition; what the net had there to the same end stands aside.
    - Layers that hold their additions inside, as a Transformer's blocks do: `LayerDrop` is put around them. Those whose
      class says `is_residual_block = True` are found, as are those of `backbones.bert`. Name others in `blocks`.

    Nested functional and sequential models are opened. A backbone of unitools comes back as one. The new model is not
    compiled. Where blocks are wrapped, the weights files of the two models do not fit each other.

    Args:
        model: A functional model, or a sequential one that has been built.
        rate: Probability of the last block to be passed by, in [0, 1). 0.1 to 0.3 are usual.
        schedule: "linear" (default): block l of L has rate l / L * `rate`. "constant": all have `rate`.
        blocks: Names, paths or patterns of the additions and layers to take. Default None: all that are found.
        seed: Seed of the first block; each next one has the next number. Default None: random.

    Returns:
        The new model. Its `placement_report` says which blocks were found, and with which rates.

    Raises:
        ValueError: An argument is not allowed, no residual block is found, or a block has stochastic depth already.
        TypeError: `model` is no Keras model.

    Example:
    >>> inputs = x = keras.Input((8,))
    >>> for number in (1, 2):
    ...     x = keras.layers.Add(name=f"add_{number}")([x, keras.layers.Dense(8)(x)])
    >>> model = ut.regularization.stochastic_depth(keras.Model(inputs, x), 0.2)
    >>> print(model.placement_report)
    Stochastic depth at 2 places:
      add_1: 0.1
      add_2: 0.2

    Source:
        Huang et al. 2016, https://arxiv.org/abs/1603.09382, equation 4; for whole blocks, Fan et al. 2020,
        https://arxiv.org/abs/1909.11556.
    """
    check_number("rate", rate, 0, 1, open_high=True, advice="Leave the model as it is for no stochastic depth.")
    check_choice("schedule", schedule, ("linear", "constant"))
    first = None if seed is None else check_integer("seed", seed)
    found = _found(check_graph(model), as_patterns("blocks", blocks))
    rates = [rate * (number + 1) / len(found) if schedule == "linear" else rate for number in range(len(found))]
    changes = {}
    for number, (places, share) in enumerate(zip(found.values(), rates, strict=True)):
        change = _dropped if isinstance(places[0], Residual) else _skipped
        changes |= change(places, share, None if first is None else first + number)
    changed = rewired(model, changes)
    residuals = [place for places in found.values() for place in places if isinstance(place, Residual)]
    replaced = tuple(residual.replaced for residual in residuals if residual.replaced)
    changed.placement_report = PlacementReport("Stochastic depth", tuple(found), tuple(rates), replaced)
    return changed


def _found(model, patterns):
    """Return what to drop by path: the residual additions of the path, or the calls of its layer."""
    calls = layer_calls(model)
    residuals, layers = {}, {}
    for residual in find_residuals(calls):
        residuals.setdefault(residual.call.path, []).append(residual)
    for call in calls:
        if call.path not in residuals and isinstance(call.layer, keras.layers.Layer):
            layers.setdefault(call.path, []).append(call)
    places = residuals | layers
    if patterns:
        chosen = fitting("blocks", patterns, list(places), "an addition or a layer")
    else:
        chosen = {path for path in places if path in residuals or _is_marked(layers[path][0].layer)}
    found = {call.path: places[call.path] for call in calls if call.path in chosen}
    if not found:
        fail("model", model.name, "one with residual blocks",
             "Neither additions of a branch to its input were found, nor layers with `is_residual_block = True`. "
             "Name composite layers in `blocks`.")  # fmt: skip
    return found


def _is_marked(layer):
    return getattr(innermost(layer), "is_residual_block", False)


def _dropped(residuals, rate, seed):
    """Return the changes that drop the branches of an addition, one for each time it is called."""
    first = residuals[0]
    if any(isinstance(node_of(residual.branch).operation, DropPath) for residual in residuals):
        _refuse(first.call.path)
    name = f"{first.call.layer.name}_drop_path"
    drop = DropPath(rate, seed=seed, dtype=first.source.dtype, name=name)
    return {id(residual.call.node): _with_branch(residual, drop) for residual in residuals}


def _with_branch(residual, drop):
    def change(node, layer, tensors):
        return called(node, layer, tensors | {id(residual.branch): drop(tensors[id(residual.source)])})

    return change


def _skipped(calls, rate, seed):
    """Return the changes that let examples pass a layer by, one for each time it is called."""
    layer = calls[0].layer
    if wrapped_by(layer, LayerDrop):
        _refuse(calls[0].path)
    change = in_place(LayerDrop(layer, rate, seed=seed, name=layer.name))
    return {id(call.node): change for call in calls}


def _refuse(path):
    advice = "This block has it already: set it once, on the first model."
    fail("model", path, "a model without stochastic depth", advice)
