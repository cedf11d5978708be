"""Walking a functional model's graph."""

import keras

from unitools.core.layers.call_graph import nodes_in_order


def layer_outputs(model):
    """Return the first output tensor of every layer of the model, by layer name."""
    return {node.operation.name: node.outputs[0] for node in reversed(nodes_in_order(model)) if node.outputs}


def output_specs(model, given, tensors):
    """Return shape and dtype of some of a model's tensors if its one input were `given`.

    The model's own `compute_output_spec` refuses an input of another size than it was built for.
    """
    specs = {id(model.inputs[0]): given}
    wanted = {id(tensor) for tensor in tensors}
    for node in nodes_in_order(model):
        if wanted <= specs.keys():
            break
        if not node.is_input:
            arguments, options = node.arguments.fill_in(specs)
            found = keras.tree.flatten(node.operation.compute_output_spec(*arguments, **options))
            specs |= {id(tensor): spec for tensor, spec in zip(node.outputs, found, strict=True)}
    return [specs[id(tensor)] for tensor in tensors]
