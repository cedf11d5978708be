"""How two factors of low rank change what a layer's kernel does, for each kind of layer."""

import math
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from unitools.adaptation.adapted_class import plain_class
from unitools.core.checks import fail

_CONVOLUTIONS = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)


@dataclass(frozen=True)
class LowRankPlan:
    """The factors A and B of a layer, whose product is what is added to the kernel.

    Args:
        kernel: Name of the attribute with the kernel.
        a_shape: Shape of A from the rank.
        b_shape: Shape of B from the rank.
        fan_in: Number of inputs that A sums over.
        limit: The smaller side of the kernel as a matrix: the largest rank of use.
        forward: Function of (inputs, A, B): what is added to the layer's linear output.
        product: Function of (A, B) as numpy arrays: what is added to the kernel.
    """

    kernel: str
    a_shape: Callable[[int], tuple]
    b_shape: Callable[[int], tuple]
    fan_in: int
    limit: int
    forward: Callable[[Any, Any, Any], Any]
    product: Callable[[np.ndarray, np.ndarray], np.ndarray]


def kind_of(layer: keras.layers.Layer) -> type | None:
    """Return the kind of layer as far as `low_rank_plan` knows it, or None.

    A subclass with a `call` of its own is none of these: what it does with its kernel is not known.
    """
    call = plain_class(layer).call
    for kind in _PLANS:
        if isinstance(layer, kind):
            return kind if call is kind.call else None
    return None


def low_rank_plan(layer: keras.layers.Layer, path: str) -> LowRankPlan:
    """Return the plan for a layer, or raise if it cannot have factors.

    Args:
        layer: A built layer of a known kind.
        path: Its path, for messages.
    """
    if getattr(layer, "quantization_mode", None) is not None:
        fail("layers", path, "layers in floating point", "This one is quantized: adapt the model before `quantize`.")
    if getattr(layer, "lora_enabled", False):
        fail("layers", path, "layers without factors of Keras' own", "This one has had `enable_lora`: build it anew.")
    return _PLANS[kind_of(layer)](layer)


def _dense(layer):
    inputs, units = layer._kernel.shape
    return LowRankPlan(
        "_kernel",
        lambda rank: (inputs, rank),
        lambda rank: (rank, units),
        fan_in=inputs,
        limit=min(inputs, units),
        forward=lambda x, a, b: ops.matmul(ops.matmul(x, a), b),
        product=np.matmul,
    )


def _embedding(layer):
    rows, units = layer._embeddings.shape
    return LowRankPlan(
        "_embeddings",
        lambda rank: (rows, rank),
        lambda rank: (rank, units),
        fan_in=1,
        limit=min(rows, units),
        forward=lambda ids, a, b: ops.matmul(ops.take(a, ops.cast(ids, "int32"), axis=0), b),
        product=np.matmul,
    )


def _convolution(layer):
    *window, units = layer._kernel.shape
    inputs = math.prod(window)

    def product(a, b):
        return (a.reshape(-1, a.shape[-1]) @ b).reshape(layer._kernel.shape)

    def convolved(x, kernel):
        # By the layer's own `call`, which knows of padding: a copy of it with this kernel alone.
        plain = plain_class(layer)
        linear = object.__new__(plain)
        vars(linear).update(vars(layer), _kernel=kernel, use_bias=False, bias=None, activation=None)
        return plain.call(linear, x)

    def forward(x, a, b):
        if layer.groups > 1:  # a group's part of B would meet the other groups' part of A
            return convolved(x, ops.reshape(ops.matmul(ops.reshape(a, (inputs, -1)), b), layer._kernel.shape))
        mixed = convolved(x, a)
        return ops.matmul(mixed, b) if layer.data_format == "channels_last" else ops.einsum("bc...,cf->bf...", mixed, b)

    return LowRankPlan(
        "_kernel",
        lambda rank: (*window, rank),
        lambda rank: (rank, units),
        fan_in=inputs,
        limit=min(inputs, units),
        forward=forward,
        product=product,
    )


def _einsum(layer):
    """Split the kernel's axes into those summed over (A's), those of the output (B's), and those of all three."""
    shape = layer._kernel.shape
    inputs, kernel, output = layer.equation.replace("->", ",").replace(" ", "").split(",")
    size = dict(zip(kernel, shape, strict=True))
    summed = [axis for axis in kernel if axis in inputs and axis not in output]
    made = [axis for axis in kernel if axis not in inputs and axis in output]
    shared = [axis for axis in kernel if axis in inputs and axis in output]
    if len(summed) + len(made) + len(shared) < len(kernel) or not summed or not made:
        fail("equation", layer.equation, "one whose kernel has axes of the inputs and axes of the output")
    rank_axis = next(sign for sign in string.ascii_letters if sign not in layer.equation)
    of_a, of_b = "".join([*shared, *summed, rank_axis]), "".join([*shared, rank_axis, *made])
    between = "".join(axis for axis in inputs if axis not in summed) + rank_axis

    def sizes(axes, rank):
        return tuple(size.get(axis, rank) for axis in axes)

    return LowRankPlan(
        "_kernel",
        lambda rank: sizes(of_a, rank),
        lambda rank: sizes(of_b, rank),
        fan_in=math.prod(size[axis] for axis in summed),
        limit=min(math.prod(size[axis] for axis in axes) for axes in (summed, made)),
        forward=lambda x, a, b: ops.einsum(
            f"{between},{of_b}->{output}", ops.einsum(f"{inputs},{of_a}->{between}", x, a), b
        ),
        product=lambda a, b: np.einsum(f"{of_a},{of_b}->{kernel}", a, b),
    )


_PLANS = {
    keras.layers.Dense: _dense,
    keras.layers.EinsumDense: _einsum,
    keras.layers.Embedding: _embedding,
    **dict.fromkeys(_CONVOLUTIONS, _convolution),
}
