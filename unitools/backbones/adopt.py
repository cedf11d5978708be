"""Any Keras model as a backbone."""

from collections.abc import Mapping, Sequence

import keras

from unitools.backbones.backbone import Backbone
from unitools.backbones.preprocess_modes import PREPROCESS_MODES, preprocess_for
from unitools.backbones.pyramid import find_pyramid
from unitools.core.checks import fail


def adopt(
    model: keras.Model,
    *,
    preprocess: str | keras.layers.Layer | None = None,
    pyramid: Sequence[tuple[int, str]] | None = None,
    input_shape: Sequence[int | None] | None = None,
    recipe: Mapping | None = None,
) -> Backbone:
    """Return a Keras model as a backbone. Its layers and weights are shared, not copied.

    Args:
        model: Functional or Sequential model that has been built, or any other model together with `input_shape`.
        preprocess: The layer from 0-255 pixels to the model's input, or the name of a convention
            (see `preprocess_for`). Defaults to None: not known.
        pyramid: Pairs (stride level, layer name). Defaults to None: found from the strides in the graph, by the rule of
            `find_pyramid`. A model without a graph of its own (subclassed) has none.
        input_shape: Input shape without the batch axis, for models that are not functional.
        recipe: See `Backbone`.

    Returns:
        A `Backbone`. A `Backbone` given without further arguments is returned as it is.

    Raises:
        ValueError: The model has no graph and `input_shape` is missing, or `preprocess` is not known.

    Example:
    >>> import keras
    >>> from unitools.backbones import adopt
    >>> net = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Conv2D(4, 3, 2, padding="same", name="stem")])
    >>> backbone = adopt(net, preprocess="tf")
    >>> {level: tensor.shape for level, tensor in backbone.pyramid_outputs.items()}
    {1: (None, 16, 16, 4)}
    """
    layer = as_preprocess(preprocess)
    if isinstance(model, Backbone) and layer is None and pyramid is None:
        return model
    functional = _functional(model, input_shape)
    pairs = find_pyramid(functional) if pyramid is None else pyramid
    return Backbone(functional, layer, pyramid=pairs, recipe=recipe)


def as_preprocess(preprocess: str | keras.layers.Layer | None) -> keras.layers.Layer | None:
    """Return the layer that `preprocess` names, or the layer itself, or None."""
    if preprocess is None or isinstance(preprocess, keras.layers.Layer):
        return preprocess
    if isinstance(preprocess, str) and preprocess in PREPROCESS_MODES:
        return preprocess_for(preprocess)
    return fail("preprocess", preprocess, f"a Keras layer, None, or one of {', '.join(PREPROCESS_MODES)}")


def _functional(model, input_shape):
    if not isinstance(model, keras.Model):
        fail("model", model, "a keras.Model", "To load one from a path or by name, use `unitools.backbones.load`.")
    if isinstance(model, Backbone):
        return model.model
    if isinstance(model, keras.Sequential) and model.built and model.inputs:
        return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    if getattr(model, "inputs", None):
        return model
    if input_shape is None:
        fail(
            "input_shape", input_shape, "the input's shape without the batch axis", "The model has no graph of its own."
        )
    inputs = keras.Input(tuple(input_shape))
    return keras.Model(inputs, model(inputs), name=f"adopted_{model.name}")
