"""A functional model made again from the same layers, some of its calls changed."""

from collections.abc import Callable, Mapping
from typing import Any

import keras

from unitools.core.checks import fail
from unitools.core.layers.call_graph import nodes_in_order
from unitools.regularization.layer_call import has_graph, layer_calls
from unitools.regularization.layer_wrapper import LayerWrapper

Change = Callable[[Any, Any, dict], Any]
"""Takes a node, its layer, and the new tensors by the id of the old ones; returns the outputs."""


def rewired(model: keras.Model, changes: Mapping[int, Change]) -> keras.Model:
    """Return the model with the calls that `changes` names, by the node's id, made in another way.

    Layers, weights and inputs are the model's own. A nested model in which something changes is made again too. A
    backbone of unitools comes back as one, by its method `with_model`, nested or not.
    """
    return _graph_again(model, changes, {})


def in_place(wrapper: keras.layers.Layer) -> Change:
    """Return the change that calls this wrapper in the place of the layer it is around."""

    def change(node, layer, tensors):
        others = {*node.arguments.args[1:], *(set(node.arguments.kwargs) - {"inputs", "mask", "training"})}
        if others and isinstance(wrapper, LayerWrapper):
            fail("layer", layer.name, "a layer that is called with inputs and mask only",
                 "The wrapper could not pass on what else it is given: wrap the layers inside it.")  # fmt: skip
        return called(node, wrapper, tensors)

    return change


def called(node: Any, layer: Any, tensors: dict) -> Any:
    """Return the outputs of the layer at what the node's arguments have become."""
    arguments, options = node.arguments.fill_in(tensors)
    return layer(*arguments, **options)


def _graph_again(model, changes, made):
    tensors = {id(tensor): tensor for tensor in model.inputs}
    for node in nodes_in_order(model):
        if not node.is_input:
            layer = _layer_again(node.operation, changes, made)
            outputs = changes.get(id(node), called)(node, layer, tensors)
            tensors |= {id(old): new for old, new in zip(node.outputs, keras.tree.flatten(outputs), strict=True)}
    outputs = keras.tree.pack_sequence_as(_structure(model, "output"), [tensors[id(old)] for old in model.outputs])
    again = keras.Model(_structure(model, "input"), outputs, name=model.name)
    return model.with_model(again) if hasattr(model, "with_model") else again


def _layer_again(layer, changes, made):
    """Return a nested model made again if something in it changes, once for all its calls; any layer as it is."""
    if not has_graph(layer) or not any(id(call.node) in changes for call in layer_calls(layer)):
        return layer
    if id(layer) not in made:
        made[id(layer)] = _graph_again(layer, changes, made)
    return made[id(layer)]


def _structure(model, side):
    """Return the model's inputs or outputs in the structure it was built with. A sequential model has one of each."""
    structure = getattr(model, f"_{side}s_struct", None)
    return getattr(model, f"{side}s")[0] if structure is None else structure
