"""Values of variables, held in memory beside the model."""

from collections.abc import Sequence

import keras
import numpy as np


def copies(variables: Sequence[keras.Variable]) -> list[np.ndarray]:
    """Return the values of variables, in memory of their own."""
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def put_back(variables: Sequence[keras.Variable], values: Sequence[np.ndarray]) -> None:
    """Give variables the values that `copies` returned.

    Raises:
        ValueError: They are of other variables.
    """
    if len(variables) != len(values):
        raise ValueError(
            f"The values must be those of {len(variables)} variables. Received {len(values)} values. "
            "Give the model that they were taken from."
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def named(name: str, values: Sequence[np.ndarray] | None) -> dict[str, np.ndarray]:
    """Return values as `{"name/0": ...}`, nothing for None."""
    return {f"{name}/{number}": value for number, value in enumerate(values or ())}


def unnamed(name: str, arrays: dict[str, np.ndarray]) -> list[np.ndarray] | None:
    """Return the values that `named` gave this name, in order, or None if there are none."""
    count = sum(key.rpartition("/")[0] == name for key in arrays)
    return [np.array(arrays[f"{name}/{number}"]) for number in range(count)] or None


def build_optimizer(model: keras.Model) -> None:
    """Make the optimizer's variables for all that learns now, unless it has some: Keras does it in the first step."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
