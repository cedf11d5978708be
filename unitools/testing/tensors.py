"""Nested structures of arrays: to tensors, in parts of a batch, and compared."""

import inspect
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf


def as_tensors(inputs: Any) -> Any:
    """Return the structure with every array as a tensor."""
    return keras.tree.map_structure(tf.convert_to_tensor, inputs)


def as_arrays(outputs: Any) -> Any:
    """Return the structure with every tensor as a numpy array."""
    return keras.tree.map_structure(lambda leaf: np.asarray(keras.ops.convert_to_numpy(leaf)), outputs)


def dtype_name(leaf: Any) -> str:
    """Return the dtype of an array or tensor as Keras names it."""
    return tf.as_dtype(leaf.dtype).name if leaf.dtype != object else "string"


def batch_size(inputs: Any) -> int:
    """Return the length of the first axis."""
    return len(keras.tree.flatten(inputs)[0])


def take(inputs: Any, rows: slice | np.ndarray) -> Any:
    """Return these rows of every array."""
    return keras.tree.map_structure(lambda leaf: np.asarray(leaf)[rows], inputs)


def symbolic_inputs(inputs: Any) -> Any:
    """Return a `keras.Input` for every array, its batch axis left open; those of a dict are named by their keys."""
    if isinstance(inputs, dict):
        return {key: keras.Input(leaf.shape[1:], dtype=dtype_name(leaf), name=key) for key, leaf in inputs.items()}
    return keras.tree.map_structure(lambda leaf: keras.Input(leaf.shape[1:], dtype=dtype_name(leaf)), inputs)


def open_signature(inputs: Any) -> Any:
    """Return a `tf.TensorSpec` for every array, its batch axis left open."""
    return keras.tree.map_structure(lambda leaf: tf.TensorSpec((None, *leaf.shape[1:]), dtype_name(leaf)), inputs)


def caller(component: Any, training: bool = False) -> Callable[[Any], Any]:
    """Return a function from inputs to the outputs of a layer, to the value of a loss, or to the result of a metric."""
    if isinstance(component, keras.losses.Loss):
        return lambda pair: component(*pair)
    if isinstance(component, keras.metrics.Metric):
        return lambda pair: measure(component, pair)
    if "training" in inspect.signature(component.call).parameters:
        return lambda inputs: component(inputs, training=training)
    return component


def measure(metric: keras.metrics.Metric, *batches: Any) -> Any:
    """Return the result of the metric after these batches, `(y_true, y_pred[, sample_weight])` each."""
    metric.reset_state()
    for batch in batches:
        metric.update_state(*batch)
    return metric.result()


def expect(condition: bool, reason: str) -> None:
    """Raise an AssertionError with the reason unless the condition holds."""
    if not condition:
        raise AssertionError(reason)


def expect_equal(expected: Any, actual: Any, what: str, tolerance: float = 1e-4) -> None:
    """Raise an AssertionError unless both structures hold the same shapes, dtypes and values.

    Args:
        expected: Structure of arrays or tensors.
        actual: The structure to compare with it.
        what: What is compared, as the subject of the message.
        tolerance: Largest difference of floats, relative to the largest magnitude in the array.
    """
    expected, actual = as_arrays(expected), as_arrays(actual)
    try:
        keras.tree.assert_same_structure(expected, actual)
    except ValueError as error:
        raise AssertionError(f"{what}: another structure. {error}") from error
    for place, (left, right) in enumerate(zip(keras.tree.flatten(expected), keras.tree.flatten(actual), strict=True)):
        where = what if place == 0 else f"{what}, output {place}"
        expect(left.shape == right.shape, f"{where}: shape {right.shape}, expected {left.shape}")
        expect(left.dtype == right.dtype, f"{where}: dtype {right.dtype}, expected {left.dtype}")
        expect(same_values(left, right, tolerance), f"{where}: {difference(left, right)}")


def same_values(left: np.ndarray, right: np.ndarray, tolerance: float = 1e-4) -> bool:
    """Tell whether two arrays are equal: floats up to the tolerance, everything else exactly."""
    if not is_floating(left) or left.size == 0:
        return bool(np.array_equal(left, right))
    left, right = left.astype("float64"), right.astype("float64")
    finite = left[np.isfinite(left)]
    scale = max(1.0, float(np.abs(finite).max())) if finite.size else 1.0
    return bool(np.allclose(left, right, rtol=0.0, atol=tolerance * scale, equal_nan=True))


def is_floating(leaf: Any) -> bool:
    """Tell whether an array or tensor holds floats, bfloat16 included."""
    return "float" in dtype_name(leaf)


def difference(left: np.ndarray, right: np.ndarray) -> str:
    """Say how far two arrays of one shape are apart."""
    if left.dtype.kind in "OSU":
        return f"{right!r}, expected {left!r}"
    gap = np.abs(left.astype("float64") - right.astype("float64"))
    return f"values differ in {np.count_nonzero(gap)} of {gap.size} places, by up to {np.nanmax(gap):.3g}"
