"""The values of lists of Keras variables, by name."""

import re
from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf


def variable_names(variables: Sequence[keras.Variable]) -> list[str]:
    """Return a name for each variable: its place, and its path without the numbers that Keras counts layers with.

    A layer made later in a process has another number ("dense_3"), and is the same layer.
    """
    return [f"{place:05d} {_plain_path(variable.path)}" for place, variable in enumerate(variables)]


def read_variables(
    variables: Sequence[keras.Variable], into: Mapping[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """Return a copy of each value by name.

    Args:
        variables: The variables.
        into: What an earlier call returned, to be written over: memory that is new costs several times the copy.
    """
    named = dict(zip(variable_names(variables), variables, strict=True))
    return {name: _copied(variable, (into or {}).get(name)) for name, variable in named.items()}


def assign_variables(variables: Sequence[keras.Variable], values: Mapping[str, np.ndarray]) -> list[str]:
    """Set each variable that has a value of its name and shape, and return the names of the others."""
    missing = []
    for name, variable in zip(variable_names(variables), variables, strict=True):
        if name in values and values[name].shape == tuple(variable.shape):
            variable.assign(values[name])
        else:
            missing.append(name)
    return missing


def describe_variables(variables: Sequence[keras.Variable]) -> list[str]:
    """Return name, shape and dtype of each as a text."""
    return [
        f"{name} {tuple(variable.shape)} {variable.dtype}"
        for name, variable in zip(variable_names(variables), variables, strict=True)
    ]


def _copied(variable, array):
    tensor = tf.convert_to_tensor(variable.value)
    try:
        value = np.asarray(memoryview(tensor))  # `numpy()` would copy once more
    except (BufferError, TypeError, ValueError):  # a dtype that NumPy does not know
        return np.array(tensor.numpy())
    if array is None or (array.shape, array.dtype) != (value.shape, value.dtype):
        return np.array(value)
    np.copyto(array, value)
    return array


def _plain_path(path):
    return re.sub(r"_\d+(?=[/_]|$)", "", path)
