"""The values of lists of Keras variables, by name."""

import re
from collections.abc import Mapping, Sequence

import keras
import numpy as np


def variable_names(variables: Sequence[keras.Variable]) -> list[str]:
    """Return a name for each variable: its place, and its path without the numbers that Keras counts layers with.

    A layer made later in a process has another number ("dense_3"), and is the same layer.
    """
    return [f"{place:05d} {_plain_path(variable.path)}" for place, variable in enumerate(variables)]


def read_variables(variables: Sequence[keras.Variable]) -> dict[str, np.ndarray]:
    """Return a copy of each value by name."""
    values = [np.array(variable.numpy()) for variable in variables]
    return dict(zip(variable_names(variables), values, strict=True))


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


def _plain_path(path):
    return re.sub(r"_\d+(?=[/_]|$)", "", path)
