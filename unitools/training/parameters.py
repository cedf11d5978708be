"""Which variables decay, and at which share of the learning rate each one steps."""

import keras

from unitools.core.checks import check_number
from unitools.training.graph import is_graph, levels_below_output

_NORMS = (
    keras.layers.BatchNormalization,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
    keras.layers.RMSNormalization,
)


def decayed_variables(model):
    """Return a boolean for each trainable variable: False for those of norms and those with one axis or none."""
    norms = {
        id(variable)
        for layer in model._flatten_layers()
        if isinstance(layer, _NORMS)
        for variable in layer.trainable_variables
    }
    return tuple(len(variable.shape) > 1 and id(variable) not in norms for variable in model.trainable_variables)


def rate_shares(model, layer_decay):
    """Return layer_decay ** levels for each trainable variable, where the output's level is 0."""
    check_number("layer_decay", layer_decay, 0, 1, open_low=True, advice="Use layer_decay=None for one rate.")
    if not is_graph(model):
        raise ValueError(
            "`layer_decay` needs a functional or a sequential model with known inputs, whose layers have an order. "
            f"Received layer_decay={layer_decay} for {type(model).__name__} {model.name!r}. Use layer_decay=None, or "
            "give unitools.training.LayerwiseAdamW(rate_shares=...) as `optimizer`."
        )
    levels = {
        id(variable): level
        for layer, level in levels_below_output(model).items()
        for variable in getattr(layer, "trainable_variables", ())
    }
    return tuple(layer_decay ** levels.get(id(variable), 0) for variable in model.trainable_variables)
