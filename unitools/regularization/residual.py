"""Finding the residual additions in a model's graph."""

from dataclasses import dataclass
from typing import Any

import keras

from unitools.core.layers.call_graph import node_of, nodes_in_order
from unitools.regularization.layer_call import LayerCall


@dataclass(frozen=True, eq=False)
class Residual:
    """An addition of a branch to what it branched off from.

    Args:
        call: The addition.
        branch: Tensor that the branch hands to the addition.
        source: The tensor to drop in its place: the same, or what a layer of the model's own, which drops examples at
            the end of the branch, takes in.
        replaced: Name of that layer, or None.
    """

    call: LayerCall
    branch: Any
    source: Any
    replaced: str | None


def find_residuals(calls: list[LayerCall]) -> list[Residual]:
    """Return the residual additions among the calls, in their order.

    An addition of two tensors is residual if both come from one fork, one side is the branch, with layers that have
    weights, and the other side the shortcut: without weights, or with fewer layers and one kernel, a projection. What
    spans other residual additions, as the top-down path of a feature pyramid does, is none.
    """
    by_node = {id(call.node): call for call in calls}
    graphs = list({id(call.graph): call.graph for call in calls}.values())
    found = {}
    for graph in graphs:
        found |= _residuals_of(graph, by_node)
    return [found[id(call.node)] for call in calls if id(call.node) in found]


def _residuals_of(graph, calls):
    order = nodes_in_order(graph)
    numbers = {id(node): number for number, node in enumerate(order)}
    # Sets of nodes as the bits of an integer: networks have hundreds of nodes, each with hundreds before it.
    before, weighted, kernels, taken, found = [], 0, 0, 0, {}
    for number, node in enumerate(order):
        inputs = [numbers[id(node_of(tensor))] for tensor in node.input_tensors]
        before.append(1 << number)
        for parent in inputs:
            before[number] |= before[parent]
        weights = getattr(node.operation, "weights", ())
        weighted |= bool(weights) << number
        kernels |= any(len(weight.shape) > 1 for weight in weights) << number
        if _is_addition(node):
            branch = _branch(inputs, before, weighted, kernels, taken)
            if branch is not None:
                taken |= 1 << number
                found[id(node)] = _residual(calls[id(node)], node.input_tensors[branch])
    return found


def _is_addition(node):
    # The layer, and the operation behind `x + y`, which Keras does not export.
    is_add = isinstance(node.operation, keras.layers.Add) or type(node.operation).__name__ == "Add"
    return is_add and len(node.input_tensors) == 2


def _branch(inputs, before, weighted, kernels, taken):
    """Return which of the two inputs is the branch, 0 or 1, or None if the addition is not residual."""
    common = before[inputs[0]] & before[inputs[1]]
    if not common:
        return None
    upstream = before[common.bit_length() - 1]
    sides = [before[number] & ~upstream for number in inputs]
    counts = [(side & weighted).bit_count() for side in sides]
    branch = int(counts[1] > counts[0])
    shortcut = sides[1 - branch]
    projects = (shortcut & kernels).bit_count() == 1 and counts[1 - branch] < counts[branch]
    if not counts[branch] or (counts[1 - branch] and not projects) or sides[branch] & taken:
        return None
    return branch


def _residual(call, branch):
    last = node_of(branch)
    own = drops_examples(last.operation)
    source = last.input_tensors[0] if own else branch
    return Residual(call, branch, source, last.operation.name if own else None)


def drops_examples(layer: Any) -> bool:
    """Return whether this is a layer by which keras.applications builds stochastic depth in."""
    shape = getattr(layer, "noise_shape", None) if isinstance(layer, keras.layers.Dropout) else None
    return type(layer).__name__ == "StochasticDepth" or (bool(shape) and all(size == 1 for size in shape[1:]))
