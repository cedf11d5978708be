"""Layers whose kernels are replaced by something made of them, at each call."""

from typing import Any

import keras
import tensorflow as tf
from keras.src.backend.common.stateless_scope import get_stateless_scope, in_stateless_scope
from keras.src.backend.common.variables import AutocastScope

from unitools.core.checks import fail
from unitools.regularization.layer_wrapper import LayerWrapper, innermost

KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel", "recurrent_kernel")
"""Names that Keras' layers give their kernels."""

# Layers that multiply by one matrix, and the axis of its kernel that counts the outputs.
OUTPUT_AXIS = {
    keras.layers.Dense: -1,
    keras.layers.Conv1D: -1,
    keras.layers.Conv2D: -1,
    keras.layers.Conv3D: -1,
    keras.layers.Conv1DTranspose: -2,
    keras.layers.Conv2DTranspose: -2,
    keras.layers.Conv3DTranspose: -2,
}

DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)


class KernelWrapper(LayerWrapper):
    """Base of wrappers that put another tensor in the place of the wrapped layer's kernels. Override `transform`.

    The layer's code is not touched: while it runs, its kernels read as what `transform` made of them. Gradients go
    through `transform` to the kernels. Biases stay as they are.

    Args:
        layer: The layer to wrap, one with kernels. Those inside a composite layer count too.
        **kwargs: `name`, `dtype`, `trainable`.
    """

    def transform(self, number: int, kernel: Any, training: bool) -> Any:
        """Return what takes the place of a kernel, in its shape.

        Args:
            number: Position of the kernel among the layer's.
            kernel: Its values, in full precision.
            training: Whether this is training.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `transform`.")

    def build(self, input_shape: tuple) -> None:
        """Build the layer, and check that it has a kernel."""
        super().build(input_shape)
        if not self.kernels():
            fail("layer", self.layer.name, "a layer with a kernel", "It has no weight of that name to work on.")

    def kernels(self) -> list:
        """Return the layer's kernels. Those of inner layers are among them."""
        return [variable for variable in self.layer.weights if variable.name.strip("_") in KERNELS]

    def call(self, inputs: Any, mask: Any = None, training: bool = False) -> Any:
        """Return the layer's outputs with its kernels replaced."""
        values = {
            id(variable): self.transform(number, full_precision(variable), bool(training))
            for number, variable in enumerate(self.kernels())
        }
        return self._with_values(values, inputs, mask)

    def _with_values(self, values, inputs, mask):
        scope = keras.StatelessScope(collect_losses=True)
        # A wrapper around this one may have put values in place too.
        before = (get_stateless_scope().state_mapping if in_stateless_scope() else {}) | values
        scope.state_mapping = dict(before)
        with scope:
            outputs = self.inner(inputs, mask)
        self._let_out(scope, before)
        return outputs

    def _let_out(self, scope, before):
        """Do outside of the scope what the layer did inside: move statistics and seeds, add losses."""
        for variable in self.layer.variables:
            value = scope.state_mapping.get(id(variable))
            if value is not None and value is not before.get(id(variable)):
                variable.assign(value)
        for loss in scope.losses:
            # A tensor of its own: Keras would count the layer's in an outer scope for the layer and for the wrapper.
            self.add_loss(tf.identity(loss))


def full_precision(variable: keras.Variable) -> Any:
    """Return a variable's values as they are stored: under mixed precision a layer sees them rounded."""
    with AutocastScope(None):
        return tf.convert_to_tensor(variable.value)


def check_one_matrix(layer: Any, others: tuple = ()) -> None:
    """Raise unless the layer, or what it wraps, is one of `OUTPUT_AXIS` or of the `others`."""
    known = (*OUTPUT_AXIS, *others)
    inner = innermost(layer)
    if isinstance(inner, keras.layers.Layer) and not isinstance(inner, known):
        names = ", ".join(kind.__name__ for kind in known)
        fail("layer", inner, f"one of {names}", "Wrap the layers inside it.")


def output_axis(layer: Any) -> int:
    """Return the axis of a one-matrix layer's kernel that counts the outputs."""
    inner = innermost(layer)
    return next((axis for kind, axis in OUTPUT_AXIS.items() if isinstance(inner, kind)), -1)


def input_axes(layer: Any, rank: int) -> tuple[int, ...]:
    """Return the axes of a kernel that one output sums over."""
    depthwise = isinstance(innermost(layer), DEPTHWISE)
    outputs = {rank - 1, rank - 2} if depthwise else {output_axis(layer) % rank}
    return tuple(axis for axis in range(rank) if axis not in outputs)
