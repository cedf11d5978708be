"""Walking a functional model's graph."""


def nodes_in_order(model):
    """Return the model's calls in an order in which each comes after those it needs.

    A layer may have calls outside this model too, so its own list of calls is not enough.
    """
    found, order = set(), []
    pending = [(tensor, False) for tensor in reversed(model.outputs)]
    while pending:
        tensor, inputs_done = pending.pop()
        node = node_of(tensor)
        if inputs_done:
            order.append(node)
        elif id(node) not in found:
            found.add(id(node))
            pending.append((tensor, True))
            pending.extend((needed, False) for needed in reversed(node.input_tensors))
    return order


def node_of(tensor):
    """Return the call that produced a symbolic tensor."""
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index]
