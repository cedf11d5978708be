"""What LoRA adds to one layer."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from unitools.adaptation.adapter_part import AdapterPart
from unitools.adaptation.low_rank_plan import LowRankPlan


class LowRankPart(AdapterPart):
    """The product of two factors with the inputs, added to what a layer makes of them before its activation.

    Args:
        layer: The layer.
        plan: How the factors change it.
        rank: Their rank.
        scale: What their product is multiplied by.
        dropout: Share of the inputs that is dropped before A in training. An embedding's ids are not dropped.
        seed: Fixes first values and dropout, or None.
        **kwargs: `name`.
    """

    mergeable = True

    def __init__(
        self,
        layer: keras.layers.Layer,
        plan: LowRankPlan,
        rank: int,
        *,
        scale: float,
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(layer, **kwargs)
        self._plan, self._rank, self._scale, self._seed = plan, rank, scale, seed
        self._looks_up = isinstance(layer, keras.layers.Embedding)
        drops = dropout and not self._looks_up
        self._dropout = keras.layers.Dropout(dropout, seed=seed, dtype=self.dtype_policy) if drops else None

    def build(self, input_shape: Any = None) -> None:
        """Make the factors. One is zero, so that nothing changes at first."""
        if self._looks_up:  # as in Microsoft's loralib
            first, second = keras.initializers.Zeros(), keras.initializers.RandomNormal(stddev=1.0, seed=self._seed)
        else:
            bound = 1 / math.sqrt(self._plan.fan_in)  # Kaiming's uniform with a = sqrt(5), as in loralib and PEFT
            first = keras.initializers.RandomUniform(-bound, bound, seed=self._seed)
            second = keras.initializers.Zeros()
        self.a = self.make(self._plan.a_shape(self._rank), "a", first)
        self.b = self.make(self._plan.b_shape(self._rank), "b", second)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return what is added."""
        if self._dropout is not None:
            inputs = self._dropout(inputs, training=training)
        a, b = (ops.cast(factor, self.compute_dtype) for factor in (self.a, self.b))
        return self._plan.forward(inputs, a, b * self._scale)

    def kernel(self, layer: keras.layers.Layer) -> keras.Variable:
        """Return the layer's kernel."""
        return getattr(layer, self._plan.kernel)

    def merged(self, kernel: np.ndarray) -> np.ndarray:
        """Return the kernel plus the scaled product of the factors."""
        a, b = (ops.convert_to_numpy(factor).astype("float64") for factor in (self.a, self.b))
        return (kernel.astype("float64") + self._scale * self._plan.product(a, b)).astype(kernel.dtype)

    class behaviour:
        """A layer that adds its part to what its kernel makes of the inputs."""

        def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            """Return the layer's output with the part added before the activation."""
            plain, activation = self._adapted_from, getattr(self, "activation", None)
            # The plain layer without its activation. A copy, since other threads may call the layer meanwhile.
            linear = object.__new__(plain)
            vars(linear).update(vars(self), activation=None)
            outputs = plain.call(linear, inputs, *args, **kwargs)
            outputs = outputs + ops.cast(self.adapter_slot.part(inputs), outputs.dtype)
            return outputs if activation is None else activation(outputs)


LowRankPart.behaviour.__name__ = "LowRank"
