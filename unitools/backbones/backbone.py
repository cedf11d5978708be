"""A functional model that knows its feature pyramid and the pixels it wants."""

from collections.abc import Mapping, Sequence

import keras

from unitools.backbones.graph import layer_outputs
from unitools.core import Component, register
from unitools.core.checks import check_integer, fail


@register
class Backbone(Component, keras.Model):
    """A functional model with its feature pyramid, and with the preprocessing its weights need, that survives saving.

    `unitools.backbones.load` and `adopt` make these. The layers are the model's own, and the result is an ordinary
    functional `keras.Model`: take `backbone.input`, `backbone.output` or any layer's output and build on.

    Attributes:
        pyramid_outputs: dict from stride level to tensor. Level 3 is the feature map with stride 2**3.
        preprocess: Layer from 0-255 pixels to the input of this model, or None where it is not known.
        weights_report: What the loaded weights file held, or None.

    Args:
        model: Functional model. Its layers are shared, not copied.
        preprocess: Layer from 0-255 pixels to the model's input. Defaults to None, not known.
        pyramid: Pairs (stride level, layer name): that layer's output has stride `2**level`. Defaults to none.
        recipe: What `load` needs to build the architecture again without weights, as JSON values. It is written into
            weights files, so that they can be loaded alone. Defaults to None.

    Call arguments:
        inputs: What `model` takes, already preprocessed.
        training: Whether layers like BatchNormalization and Dropout are in training mode.

    Input shape:
        The model's. For pictures `(batch, height, width, channels)`.

    Output shape:
        The model's. For pictures without the classifier `(batch, rows, columns, features)`.

    Raises:
        ValueError: `model` is not functional, or `pyramid` names a layer that it has not.

    Example:
    >>> import keras
    >>> from unitools.backbones import Backbone, preprocess_for
    >>> pixels = keras.Input((32, 32, 3))
    >>> features = keras.layers.Conv2D(4, 3, strides=2, padding="same", name="stem")(pixels)
    >>> backbone = Backbone(keras.Model(pixels, features), preprocess_for("tf"), pyramid=[(1, "stem")])
    >>> backbone.pyramid_outputs[1].shape
    (None, 16, 16, 4)
    """

    def __init__(
        self,
        model: keras.Model,
        preprocess: keras.layers.Layer | None = None,
        *,
        pyramid: Sequence[tuple[int, str]] = (),
        recipe: Mapping | None = None,
        **kwargs,
    ):
        if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
            fail("model", model, "a functional keras.Model", "Use `unitools.backbones.adopt` for other models.")
        kwargs.setdefault("name", model.name)
        kwargs.pop("dtype", None)  # a functional model has no policy of its own; its layers have theirs
        super().__init__(inputs=_structure(model, "input"), outputs=_structure(model, "output"), **kwargs)
        # Kept for the config only. Tracked, it would hold every layer a second time.
        self.__dict__["model"] = model
        self.preprocess = preprocess
        self.pyramid = tuple((check_integer("pyramid", level, 0, 16), str(name)) for level, name in pyramid)
        self.recipe = None if recipe is None else dict(recipe)
        self.weights_report = None
        self._pyramid_tensors = _named_outputs(model, self.pyramid)

    @property
    def pyramid_outputs(self) -> dict:
        """Tensors by stride level: the map at level n is 2**n times smaller than the input."""
        return dict(self._pyramid_tensors)

    def with_model(self, model: keras.Model) -> "Backbone":
        """Return a backbone like this one around another functional model that has the layers of the pyramid."""
        changed = type(self)(model, self.preprocess, pyramid=self.pyramid, recipe=self.recipe)
        changed.weights_report = self.weights_report
        return changed


def _structure(model, side):
    """Return the model's inputs or outputs in the structure it was built with."""
    structure = getattr(model, f"_{side}s_struct", None)
    return getattr(model, side) if structure is None else structure


def _named_outputs(model, pyramid):
    outputs = layer_outputs(model) if pyramid else {}
    unknown = [name for _, name in pyramid if name not in outputs]
    if unknown:
        fail("pyramid", pyramid, "pairs (stride level, layer name) with layers of the model", f"It has no {unknown}.")
    return tuple((level, outputs[name]) for level, name in sorted(pyramid))
