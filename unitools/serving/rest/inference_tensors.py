"""Tensors of the Open Inference Protocol as JSON."""

import math

import numpy as np

from unitools.serving.dtypes import FROM_OPEN_INFERENCE, OPEN_INFERENCE, numpy_dtype
from unitools.serving.models.extent import check_extent
from unitools.serving.request_error import refuse
from unitools.serving.rest.body import as_text, from_base64, to_base64

_KINDS = {"B": "b", "I": "iu", "U": "iu", "F": "iuf"}


def read_tensor(given: dict) -> tuple[str, np.ndarray]:
    """Return (name, array) of an input.

    Raises:
        RequestError: 400: a part is missing, or the data are not what shape and datatype say.
    """
    name, shape, datatype = given.get("name"), given.get("shape"), given.get("datatype")
    if not isinstance(name, str):
        refuse("name", name, "the name of an input, a string")
    if not isinstance(shape, list) or len(shape) > 32 or not all(type(side) is int and side >= 0 for side in shape):
        refuse(f"{name}.shape", shape, "a list of sizes >= 0")
    check_extent(f"{name}.shape", shape)
    if datatype not in OPEN_INFERENCE.values():
        refuse(f"{name}.datatype", datatype, f"one of {sorted(OPEN_INFERENCE.values())}")
    if not isinstance(given.get("data"), list):
        refuse(f"{name}.data", given.get("data"), "a list")
    flat = _flat(name, given["data"])
    # Before anything of the declared size is made.
    if math.prod(shape) != len(flat):
        refuse(f"{name}.shape", shape, f"the shape of the {len(flat)} values in data")
    return name, _array(name, flat, datatype, given.get("parameters")).reshape(shape)


def _flat(name, data):
    """Return the values of lists that may be nested, row after row."""
    for _ in range(32):
        nested = [isinstance(item, list) for item in data]
        if not any(nested):
            return data
        if not all(nested):
            refuse(f"{name}.data", data, "a flat list, or lists of equal depth")
        data = [item for row in data for item in row]
    return refuse(f"{name}.data", "deep lists", "lists of depth 32 at most")


def _array(name, flat, datatype, parameters):
    if datatype == "BYTES":
        encoded = isinstance(parameters, dict) and parameters.get("content_type") == "base64"
        array = np.empty(len(flat), object)
        array[:] = [from_base64(name, item) for item in flat] if encoded else flat
        return array
    try:
        array = np.asarray(flat)
    except (ValueError, TypeError, OverflowError):
        refuse(f"{name}.data", flat, f"a list of {datatype}")
    if array.dtype.kind not in _KINDS[datatype[0]] and array.size:
        refuse(f"{name}.data", flat, f"a list of {datatype}")
    return array if array.size else array.astype(numpy_dtype(FROM_OPEN_INFERENCE[datatype]))


def written_tensor(name: str, array: np.ndarray) -> dict:
    """Return an output as JSON takes it."""
    if array.dtype != object:
        array = array.astype(np.float32) if array.dtype.kind == "V" else array
        content = np.ascontiguousarray(array).ravel()
        return {"name": name, "shape": list(array.shape), "datatype": OPEN_INFERENCE[array.dtype.name], "data": content}
    items = array.ravel().tolist()
    texts = [as_text(item) for item in items]
    found = {"name": name, "shape": list(array.shape), "datatype": "BYTES", "data": texts}
    if None in texts:
        found |= {"data": [to_base64(item) for item in items], "parameters": {"content_type": "base64"}}
    return found
