"""What a bottleneck adapter adds after one layer."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from unitools.adaptation.adapter_part import AdapterPart


class BottleneckPart(AdapterPart):
    """A projection down, a non-linearity and a projection up, added to a layer's output.

    Args:
        layer: The layer.
        features: Size of the last axis of the layer's output.
        units: Size in between.
        activation: The non-linearity.
        seed: Fixes the first values, or None.
        **kwargs: `name`.
    """

    def __init__(
        self,
        layer: keras.layers.Layer,
        features: int,
        units: int,
        *,
        activation: Callable,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(layer, **kwargs)
        self._features, self._units, self._activation, self._seed = features, units, activation, seed

    def build(self, input_shape: Any = None) -> None:
        """Make the projections, so small that nothing changes much at first."""
        seeds = (None, None) if self._seed is None else (self._seed, self._seed + 1)
        small = [keras.initializers.TruncatedNormal(stddev=0.01, seed=seed) for seed in seeds]  # Houlsby's choice
        self.down = self.make((self._features, self._units), "down", small[0])
        self.down_bias = self.make((self._units,), "down_bias", "zeros")
        self.up = self.make((self._units, self._features), "up", small[1])
        self.up_bias = self.make((self._features,), "up_bias", "zeros")

    def call(self, inputs: Any) -> Any:
        """Return the inputs plus what the bottleneck makes of them."""
        weights = (self.down, self.down_bias, self.up, self.up_bias)
        down, down_bias, up, up_bias = (ops.cast(weight, self.compute_dtype) for weight in weights)
        hidden = self._activation(ops.matmul(inputs, down) + down_bias)
        return inputs + ops.matmul(hidden, up) + up_bias

    class behaviour:
        """A layer whose output goes through its part."""

        def call(self, *args: Any, **kwargs: Any) -> Any:
            """Return the layer's output after the bottleneck."""
            outputs = super().call(*args, **kwargs)
            return ops.cast(self.adapter_slot.part(outputs), outputs.dtype)


BottleneckPart.behaviour.__name__ = "Bottleneck"
