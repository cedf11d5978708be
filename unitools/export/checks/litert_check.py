"""Look at a LiteRT file as a flat buffer, before its interpreter opens it."""

import math
import struct
from collections.abc import Collection
from pathlib import Path

import numpy as np

from unitools.export.unsafe_artefact_error import UnsafeArtefactError

_IDENTIFIER = b"TFL3"
_OTHER_SIZES = {"INT4": 0.5, "INT2": 0.25, "BFLOAT16": 2, "BOOL": 1, "STRING": 16, "RESOURCE": 8, "VARIANT": 8}


def check_litert(file: Path, allow_ops: Collection[str] = ()) -> int:
    """Raise unless the file is of LiteRT's own operations; return the bytes that its tensors declare.

    Args:
        file: model.tflite.
        allow_ops: Names of custom operations that are allowed besides.

    Raises:
        UnsafeArtefactError: It cannot be read, or holds a custom operation.
    """
    from tensorflow.lite.python import schema_py_generated as schema  # large: not at import

    content = file.read_bytes()
    if content[4:8] != _IDENTIFIER:
        raise UnsafeArtefactError(f"{file} must be a LiteRT file, which begins with {_IDENTIFIER.decode()}.")
    try:
        return _checked(schema, schema.Model.GetRootAs(content, 0), file, allow_ops)
    except (struct.error, IndexError, TypeError, AttributeError, OverflowError, ValueError) as error:
        if isinstance(error, UnsafeArtefactError):
            raise
        raise UnsafeArtefactError(f"{file} must be a LiteRT file. It cannot be read: {error!r}") from error


def _checked(schema, model, file, allow_ops):
    size = file.stat().st_size
    names = {value: name for name, value in vars(schema.TensorType).items() if isinstance(value, int)}
    for place in range(_count(model.OperatorCodesLength(), size)):
        custom = model.OperatorCodes(place).CustomCode()
        if custom is not None and custom.decode(errors="replace") not in allow_ops:
            name = custom.decode(errors="replace")
            raise UnsafeArtefactError(
                f"{file} must hold operations of LiteRT. It holds the custom operation {name}. If your runtime has it, "
                f"give allow_ops=({name!r},)."
            )
    declared = 0
    for place in range(_count(model.SubgraphsLength(), size)):
        graph = model.Subgraphs(place)
        tensors = (graph.Tensors(index) for index in range(_count(graph.TensorsLength(), size)))
        declared += sum(_bytes_of(tensor, names) for tensor in tensors)
    return math.ceil(declared)


def _count(number, size):
    """Return a length, which cannot be more than the bytes of the file."""
    if number > size:
        raise ValueError(f"{number} entries in {size} bytes")
    return number


def _bytes_of(tensor, names):
    shape = tensor.ShapeAsNumpy() if tensor.ShapeLength() else []
    name = names.get(tensor.Type())
    if name is None:
        raise ValueError(f"no type {tensor.Type()}")
    size = _OTHER_SIZES.get(name) or np.dtype(name.lower()).itemsize
    return math.prod(max(int(side), 0) for side in shape) * size
