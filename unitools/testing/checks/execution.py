"""Promises about execution: one result, however the component is called."""

import keras
import tensorflow as tf

from unitools.testing.checks.check import promise
from unitools.testing.kinds import is_compilable, is_executable, is_layer
from unitools.testing.tensors import (
    as_tensors,
    batch_size,
    caller,
    dtype_name,
    expect,
    expect_equal,
    open_signature,
    symbolic_inputs,
    take,
)


@promise(is_layer)
def weights_are_made_in_build(specimen):
    """A new layer has no weights before it is built. Models may have them."""
    component = specimen.build()
    if not isinstance(component, keras.Model):
        names = ", ".join(weight.path for weight in component.weights)
        expect(not names, f"the constructor makes weights: {names}. Make them in `build`.")


@promise(lambda specimen: is_layer(specimen) and specimen.output_shape is not None)
def output_shape_is_as_stated(specimen):
    """The outputs have the stated shapes."""
    outputs = caller(specimen.build())(as_tensors(specimen.inputs()))
    shapes = keras.tree.map_structure(lambda leaf: tuple(leaf.shape), outputs)
    expect(_plain(shapes) == _plain(specimen.output_shape), f"output shape {shapes}, stated {specimen.output_shape}")


def _plain(shapes):
    if isinstance(shapes, dict):
        return {key: _plain(shape) for key, shape in shapes.items()}
    return [_plain(item) for item in shapes] if isinstance(shapes, (list, tuple)) else shapes


@promise(is_layer)
def symbolic_equals_eager(specimen):
    """Symbolic outputs have the structure, shapes and dtypes of eager ones."""
    component, inputs = specimen.build(), specimen.inputs()
    symbols = component(symbolic_inputs(inputs))
    outputs = component(as_tensors(inputs))
    keras.tree.assert_same_structure(symbols, outputs)
    for symbol, output in zip(keras.tree.flatten(symbols), keras.tree.flatten(outputs), strict=True):
        expect(_fits(symbol.shape, output.shape), f"symbolic shape {symbol.shape}, eager shape {tuple(output.shape)}")
        left, right = dtype_name_of(symbol), dtype_name(output)
        expect(left == right, f"symbolic dtype {left}, eager dtype {right}")


def dtype_name_of(symbol):
    """Return the dtype of a KerasTensor."""
    return keras.backend.standardize_dtype(symbol.dtype)


def _fits(symbolic, eager):
    same_rank = len(symbolic) == len(eager)
    return same_rank and all(left in (None, right) for left, right in zip(symbolic, eager, strict=True))


@promise(is_executable)
def graph_equals_eager(specimen):
    """A `tf.function` gives the eager result."""
    _expect_same_when_compiled(specimen, jit_compile=False)


@promise(is_compilable)
def xla_equals_eager(specimen):
    """XLA compiles the component and gives the eager result."""
    _expect_same_when_compiled(specimen, jit_compile=True)


def _expect_same_when_compiled(specimen, jit_compile):
    call = caller(specimen.build())
    inputs = as_tensors(specimen.inputs())
    expected = call(inputs)
    expect_equal(expected, tf.function(call, jit_compile=jit_compile)(inputs), "compiled against eager")


@promise(is_executable)
def batch_is_dynamic(specimen):
    """One traced function takes batches of every size."""
    call, inputs = caller(specimen.build()), specimen.inputs()
    call(as_tensors(inputs))
    traced = tf.function(call, input_signature=[open_signature(inputs)])
    for size in sorted({1, batch_size(inputs)}):
        part = as_tensors(take(inputs, slice(size)))
        expect_equal(call(part), traced(part), f"batch of {size}, traced with an open batch axis")
