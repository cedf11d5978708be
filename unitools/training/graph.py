"""How Keras models are walked: what ends them, and how many levels lie between a layer and the output."""

import math

import keras
from keras import tree


def is_graph(model):
    """Return whether the model is functional, or a sequential one with known inputs: its layers form a graph."""
    return isinstance(model, keras.Model) and hasattr(_functional(model), "operations")


def producer(tensor):
    """Return the operation that made a symbolic tensor, and the symbolic tensors it was made from."""
    history = tensor._keras_history
    return history.operation, history.operation._inbound_nodes[history.node_index].input_tensors


def last_operation(model):
    """Return the operation that makes the values of a model with one output, or None where it cannot be told.

    Nested models are opened, and operations that hand values on unchanged are passed over.
    """
    if not is_graph(model):
        return None
    outputs = tree.flatten(_functional(model).outputs)
    return _maker(outputs[0]) if len(outputs) == 1 else None


def _maker(tensor):
    operation, inputs = producer(tensor)
    if is_graph(operation):
        return last_operation(operation)
    if _hands_on(operation) and len(inputs) == 1:
        return _maker(inputs[0])
    return operation


def _hands_on(operation):
    if isinstance(operation, keras.layers.Activation):
        return operation.activation is keras.activations.linear
    return isinstance(operation, (keras.layers.Reshape, keras.layers.Identity, keras.layers.Dropout))


def levels_below_output(model):
    """Return {layer: number of levels between it and the output}, nested models opened, for a graph model.

    A level begins at a layer that holds weighted layers of its own (a block), at a layer with a kernel whose result is
    a sequence or vector, and, among feature maps, wherever strides make the map smaller: so the dozens of convolutions
    of a stage are one level. Norms and other layers without a kernel belong to the level before them.
    """
    levels = {}
    _walk(model, 0, levels)
    return levels


def _walk(model, base, levels):
    """Enter the layers of `model`, whose output lies `base` levels down. Return the level of its deepest input."""
    graph = _functional(model)
    below = {id(tensor): base for tensor in tree.flatten(graph.outputs)}
    for node in _nodes_from_the_output(graph):
        operation = node.operation
        level = max((below[id(tensor)] for tensor in node.output_tensors if id(tensor) in below), default=base)
        if is_graph(operation):
            above = _walk(operation, level, levels)
        else:
            levels[operation] = min(level, levels.get(operation, level))
            above = level + _begins_level(operation, node)
        for tensor in node.input_tensors:
            below[id(tensor)] = max(above, below.get(id(tensor), base))
    return max((below[id(tensor)] for tensor in tree.flatten(graph.inputs) if id(tensor) in below), default=base)


def _nodes_from_the_output(graph):
    return [node for depth in sorted(graph._nodes_by_depth) for node in graph._nodes_by_depth[depth]]


def _begins_level(operation, node):
    if not isinstance(operation, keras.layers.Layer):
        return 0
    if any(layer.weights for layer in operation._flatten_layers(include_self=False)):
        return 1
    if len(node.output_tensors[0].shape) > 3:
        strides = getattr(operation, "strides", 1)
        return int(math.prod(strides if isinstance(strides, (tuple, list)) else (strides,)) > 1)
    return int(any(len(weight.shape) > 1 for weight in operation.weights))


def _functional(model):
    """Return the graph inside a sequential model, or the model itself."""
    return getattr(model, "_functional", None) or model
