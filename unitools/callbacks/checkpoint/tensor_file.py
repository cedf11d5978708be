"""Arrays in a safetensors file."""

import json
from collections.abc import Mapping
from pathlib import Path

import ml_dtypes
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from unitools.callbacks.checkpoint.checkpoint_error import CheckpointError

# Dtypes that numpy knows only through ml_dtypes, written as integers of their width.
_WIDTHS = {1: np.uint8, 2: np.uint16}
_KEY = "dtypes"


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name. Any dtype of a Keras variable is kept.

    Raises:
        OSError: The file could not be written.
    """
    odd = {name: array.dtype.name for name, array in arrays.items() if array.dtype.kind == "V"}
    # `ascontiguousarray` alone makes an axis of a scalar.
    written = {
        name: np.ascontiguousarray(array.view(_WIDTHS[array.dtype.itemsize]) if name in odd else array).reshape(
            array.shape
        )
        for name, array in arrays.items()
    }
    try:
        save_file(written, path, metadata={_KEY: json.dumps(odd)})
    except SafetensorError as error:  # how it says that the disk is full
        raise OSError(f"{path.name}: {error}") from error


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return what `save_arrays` wrote.

    Raises:
        CheckpointError: The file is absent, or no whole safetensors file.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            odd = json.loads((file.metadata() or {}).get(_KEY, "{}"))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
    except (OSError, SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}. Use another checkpoint.") from error
    return {name: array.view(getattr(ml_dtypes, odd[name])) if name in odd else array for name, array in arrays.items()}
