"""What wrappers of layers share."""

import inspect
from typing import Any

import keras

from unitools.core.checks import fail
from unitools.core.component import Component


class LayerWrapper(Component, keras.layers.Wrapper):
    """Base of layers that do something to another layer, whose weights they share. Override `call`.

    Masks go through as the wrapped layer lets them. The activation of a wrapped head can be read as that of the head.

    Args:
        layer: The layer to wrap. It may have weights already; they are its own afterwards too.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: `layer` is no Keras layer, or is wrapped by a wrapper of this class already.
    """

    def __init__(self, layer: keras.layers.Layer, **kwargs: Any):
        if not isinstance(layer, keras.layers.Layer):
            fail("layer", layer, "a Keras layer")
        if wrapped_by(layer, type(self)):
            fail("layer", layer.name, f"one without {type(self).__name__}", "It is wrapped so already: wrap it once.")
        kwargs.setdefault("dtype", layer.dtype_policy)
        super().__init__(layer, **kwargs)
        self.supports_masking = layer.supports_masking
        self._passes_mask = "mask" in inspect.signature(layer.call).parameters

    @property
    def output_activation(self) -> Any:
        """The function that makes the wrapped layer's output. No attribute where that layer does not tell."""
        for name in ("output_activation", "activation"):
            if hasattr(self.layer, name):
                return getattr(self.layer, name)
        raise AttributeError(f"{type(self.layer).__name__} has no activation.")

    def inner(self, inputs: Any, mask: Any = None) -> Any:
        """Return the wrapped layer's outputs."""
        return self.layer(inputs, mask=mask) if mask is not None and self._passes_mask else self.layer(inputs)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask that the wrapped layer makes of the inputs' mask."""
        return self.layer.compute_mask(inputs, previous_mask)


def wrapped_by(layer: keras.layers.Layer, wrapper: type) -> bool:
    """Return whether a layer, or one that it wraps, is a wrapper of this class."""
    while isinstance(layer, keras.layers.Wrapper):
        if type(layer) is wrapper:
            return True
        layer = layer.layer
    return False


def innermost(layer: Any) -> Any:
    """Return the layer at the bottom of a stack of wrappers."""
    while isinstance(layer, keras.layers.Wrapper):
        layer = layer.layer
    return layer
