"""What an adapter adds to one layer."""

from typing import Any

import keras
import numpy as np


class AdapterPart(keras.layers.Layer):
    """A layer inside an adapted layer, with the weights that an adapter has for it.

    Args:
        layer: The layer it is for, which gives the dtypes.
        **kwargs: `name`.
    """

    behaviour: type
    """What the adapted layer does: a class whose methods come before those of the layer's own class."""
    mergeable = False
    """Whether the layer's kernel can hold what it adds, by `kernel` and `merged`."""

    def __init__(self, layer: keras.layers.Layer, **kwargs: Any):
        super().__init__(dtype=layer.dtype_policy, **kwargs)
        # Steps of training are too small for half precision.
        half = layer.variable_dtype in ("float16", "bfloat16")
        self._factor_dtype = "float32" if half else layer.variable_dtype

    def make(self, shape: tuple, name: str, initializer: Any) -> keras.Variable:
        """Return a new trainable weight, in single precision or better."""
        return self.add_weight(shape=shape, name=name, initializer=initializer, dtype=self._factor_dtype)

    def tensors(self) -> dict[str, keras.Variable]:
        """Return its weights and the state of its seeds by name."""
        found = {variable.name: variable for variable in self.weights}
        seeds = [generator.state for layer in self._flatten_layers() for generator in layer._seed_generators]
        return found | {f"seed_{number}": state for number, state in enumerate(seeds)}

    def kernel(self, layer: keras.layers.Layer) -> keras.Variable:
        """Return the weight of the layer that can hold what it adds."""
        raise NotImplementedError

    def merged(self, kernel: np.ndarray) -> np.ndarray:
        """Return the kernel with what it adds."""
        raise NotImplementedError
