"""Examples to verify an export on: as given, or made."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from unitools.core.checks import fail

NUM_MADE = 4


def encoded_files(examples):
    """Return the bytes of each file where examples are encoded files or paths of them, else None."""
    if not len(examples) or not isinstance(examples[0], (bytes, str, Path)):
        return None
    return [one if isinstance(one, bytes) else Path(one).read_bytes() for one in examples]


def array_examples(examples, structure, specs):
    """Return one array an input, in flattened order.

    Args:
        examples: Arrays in the structure of the model's inputs, or None for seeded noise.
        structure: Nested structure of the model's inputs.
        specs: One `tf.TensorSpec` an input.

    Raises:
        ValueError: Structure or shapes do not fit.
    """
    if examples is None:
        return [_made(spec) for spec in specs]
    if isinstance(structure, dict) and isinstance(examples, dict):
        examples = {name: examples[name] for name in structure if name in examples}
    given = [examples] if len(specs) == 1 and not isinstance(examples, dict) else keras.tree.flatten(examples)
    given = [np.asarray(array) for array in given]
    fits = len(given) == len(specs) and all(
        array.ndim and len(array) and spec.shape.is_compatible_with(array.shape)
        for array, spec in zip(given, specs, strict=True)
    )
    if not fits:
        wanted = {spec.name: tuple(spec.shape) for spec in specs}
        fail("examples", [array.shape for array in given], f"arrays of shapes {wanted}", "Follow the model's inputs.")
    return [array.astype(spec.dtype.as_numpy_dtype) for array, spec in zip(given, specs, strict=True)]


def _made(spec):
    """Return noise, or 0 and 1 for integers, which are valid ids in any vocabulary."""
    shape = [NUM_MADE, *[side or 8 for side in spec.shape[1:]]]
    if spec.dtype == tf.string:
        return np.full(shape, b"example", object)
    if spec.dtype.is_integer or spec.dtype.is_bool:
        return np.random.default_rng(0).integers(0, 2, shape).astype(spec.dtype.as_numpy_dtype)
    return np.random.default_rng(0).normal(size=shape).astype(spec.dtype.as_numpy_dtype)
