"""Finding the feature pyramid of a functional model from the strides in its graph."""

import math

import keras

from unitools.backbones.graph import output_specs
from unitools.core.layers.call_graph import node_of, nodes_in_order

_PROBE = 512  # pixels a side; at a few pixels, layers without padding would shift a map to the next level
# Padding and cropping change the size a little without a new feature.
_BORDER_LAYERS = (keras.layers.ZeroPadding2D, keras.layers.Cropping2D)


def find_pyramid(model) -> tuple[tuple[int, str], ...]:
    """Return (stride level, layer name) pairs: at each level, the last map that all later layers depend on.

    A level's map is the last output with stride `2**level` through which every path from input to output runs, so a
    branch inside a residual block is never taken. Networks that skip over whole stages (NASNet) have few such maps, and
    the levels without one are left out, as is level 0, the input's own size.

    Args:
        model: Functional model with one picture as input.

    Returns:
        Pairs in ascending order of level. Empty if the input is no picture.

    Example:
    >>> import keras
    >>> from unitools.backbones.pyramid import find_pyramid
    >>> net = keras.applications.VGG16(weights=None, include_top=False, input_shape=(64, 64, 3))
    >>> find_pyramid(net)
    ((1, 'block2_conv2'), (2, 'block3_conv3'), (3, 'block4_conv3'), (4, 'block5_conv3'), (5, 'block5_pool'))
    """
    if len(model.inputs) != 1 or len(model.inputs[0].shape) != 4:
        return ()
    cuts = _maps_all_paths_share(model)
    side, sizes = _sides(model, cuts)
    levels = {}
    for tensor, size in zip(cuts, sizes, strict=True):
        if size:
            levels[round(math.log2(side / size))] = node_of(tensor).operation.name
    return tuple(sorted((level, name) for level, name in levels.items() if level > 0))


def _maps_all_paths_share(model):
    """Return the 4-D tensors that are, when they are made, the only ones still needed."""
    order = nodes_in_order(model)
    last_use = {id(tensor): step for step, node in enumerate(order) for tensor in node.input_tensors}
    last_use |= {id(tensor): len(order) for tensor in model.outputs}
    needed, cuts = set(), []
    for step, node in enumerate(order):
        needed |= {id(tensor) for tensor in node.outputs}
        needed = {key for key in needed if last_use.get(key, -1) > step}
        candidate = node.outputs[0]
        if needed == {id(candidate)} and len(candidate.shape) == 4 and not isinstance(node.operation, _BORDER_LAYERS):
            cuts.append(candidate)
    return cuts


def _sides(model, tensors):
    """Return the input's height and each tensor's, for a large picture."""
    picture = keras.KerasTensor((1, _PROBE, _PROBE, model.inputs[0].shape[3]), dtype=model.inputs[0].dtype)
    try:
        specs = output_specs(model, picture, tensors)
    except (ValueError, TypeError):  # a model for one size only, as with position embeddings
        return model.inputs[0].shape[1], [tensor.shape[1] for tensor in tensors]
    return _PROBE, [spec.shape[1] for spec in specs]
