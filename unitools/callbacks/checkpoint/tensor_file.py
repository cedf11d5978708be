"""Arrays in a safetensors file."""

import json
from collections.abc import Mapping
from pathlib import Path

import ml_dtypes
import numpy as np
from safetensors import SafetensorError, safe_open

from unitools.callbacks.checkpoint.checkpoint_error import CheckpointError

# Dtypes that numpy knows only through ml_dtypes, written as integers of their width.
_WIDTHS = {1: np.uint8, 2: np.uint16}
_KEY = "dtypes"
_KINDS = {"f": "F", "i": "I", "u": "U", "b": "BOOL"}


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name. Any dtype of a Keras variable is kept.

    The library's own writer copies all arrays first, which costs a training beside it more than the writing.

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
    header, end = {"__metadata__": {_KEY: json.dumps(odd)}}, 0
    for name, array in written.items():
        header[name] = {"dtype": _dtype(array), "shape": array.shape, "data_offsets": (end, end + array.nbytes)}
        end += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in written.values():
            file.write(array.reshape(-1).view(np.uint8).data)


def _dtype(array):
    """Return the format's name of a dtype, as "F32"."""
    kind = _KINDS[array.dtype.kind]
    return kind if kind == "BOOL" else f"{kind}{8 * array.dtype.itemsize}"


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
