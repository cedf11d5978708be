"""Stochastic depth over a whole model."""

from collections.abc import Sequence

import keras

from unitools.core.checks import check_choice, check_integer, check_number, fail
from unitools.core.layers.call_graph import node_of
from unitools.regularization.drop_path import DropPath
from unitools.regularization.layer_drop import LayerDrop
from unitools.regularization.layer_paths import as_patterns, check_graph, fitting, layer_calls
from unitools.regularization.layer_wrapper import wrapped_by
from unitools.regularization.placement_report import PlacementReport
from unitools.regularization.residuals import Residual, find_residuals
from unitools.regularization.rewired import called, rewired


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
    for number, (place, share) in enumerate(zip(found.values(), rates, strict=True)):
        change = _change(place, share, None if first is None else first + number)
        changes |= {id(call.node): change for call in _calls(place)}
    changed = rewired(model, changes)
    replaced = [place.replaced for place in found.values() if isinstance(place, Residual) and place.replaced]
    changed.placement_report = PlacementReport("Stochastic depth", tuple(found), tuple(rates), tuple(replaced))
    return changed


def _found(model, patterns):
    """Return what to drop by path: a `Residual`, or the calls of a block."""
    calls = layer_calls(model)
    residuals = {residual.call.path: residual for residual in find_residuals(calls)}
    layers = {call.path: [each for each in calls if each.path == call.path] for call in calls
              if call.path not in residuals and isinstance(call.layer, keras.layers.Layer)}  # fmt: skip
    marked = [
        path for path, of_path in layers.items() if getattr(_inside(of_path[0].layer), "is_residual_block", False)
    ]
    chosen = (
        fitting("blocks", patterns, [*residuals, *layers], "an addition or a layer")
        if patterns
        else {*residuals, *marked}
    )
    found = {call.path: residuals.get(call.path) or layers[call.path] for call in calls if call.path in chosen}
    if not found:
        fail("model", model.name, "one with residual blocks",
             "Neither additions of a branch to its input were found, nor layers with `is_residual_block = True`. "
             "Name composite layers in `blocks`.")  # fmt: skip
    return found


def _inside(layer):
    while isinstance(layer, keras.layers.Wrapper):
        layer = layer.layer
    return layer


def _calls(place):
    return [place.call] if isinstance(place, Residual) else place


def _change(place, rate, seed):
    return _dropped(place, rate, seed) if isinstance(place, Residual) else _skipped(place, rate, seed)


def _dropped(residual, rate, seed):
    if isinstance(node_of(residual.branch).operation, DropPath):
        _refuse(residual.call.path)
    name = f"{residual.call.layer.name}_drop_path"
    drop = DropPath(rate, seed=seed, dtype=residual.source.dtype, name=name)

    def change(node, layer, tensors):
        return called(node, layer, tensors | {id(residual.branch): drop(tensors[id(residual.source)])})

    return change


def _skipped(calls, rate, seed):
    layer = calls[0].layer
    if wrapped_by(layer, LayerDrop):
        _refuse(calls[0].path)
    wrapped = LayerDrop(layer, rate, seed=seed, name=layer.name)
    return lambda node, _, tensors: called(node, wrapped, tensors)


def _refuse(path):
    fail(
        "model", path, "a model without stochastic depth", "This block has it already: set it once, on the first model."
    )
