"""TensorProto and numpy, with the declared size checked before anything is made."""

import math

import numpy as np
from tensorflow.core.framework import tensor_pb2, types_pb2

from unitools.serving.dtypes import FROM_TENSORFLOW, TENSORFLOW, numpy_dtype
from unitools.serving.models.extent import check_extent
from unitools.serving.request_error import refuse

_FIELDS = {
    "DT_FLOAT": "float_val",
    "DT_DOUBLE": "double_val",
    "DT_BOOL": "bool_val",
    "DT_HALF": "half_val",
    "DT_BFLOAT16": "half_val",
    "DT_INT64": "int64_val",
    "DT_UINT64": "uint64_val",
    "DT_UINT32": "uint32_val",
    **{f"DT_{sign}INT{bits}": "int_val" for sign in ("", "U") for bits in (8, 16)},
    "DT_INT32": "int_val",
}
_MAX_RANK = 32


def from_proto(name: str, proto: tensor_pb2.TensorProto) -> np.ndarray:
    """Return the array of a TensorProto; strings as an object array of bytes.

    Raises:
        RequestError: 400: shape, dtype and content do not belong together.
    """
    if proto.dtype not in types_pb2.DataType.values():
        refuse(name, proto.dtype, "of a known dtype")
    dtype = types_pb2.DataType.Name(proto.dtype)
    if dtype != "DT_STRING" and dtype not in _FIELDS:
        refuse(name, dtype, f"of one of the dtypes {sorted([*_FIELDS, 'DT_STRING'])}")
    if proto.tensor_shape.unknown_rank or len(proto.tensor_shape.dim) > _MAX_RANK:
        refuse(name, "no rank, or too many axes", f"of known rank, at most {_MAX_RANK}")
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    if any(side < 0 for side in shape):
        refuse(name, shape, "of sizes >= 0")
    check_extent(name, shape)
    if dtype == "DT_STRING":
        return _strings(name, list(proto.string_val), shape)
    if proto.tensor_content:
        return _from_content(name, proto.tensor_content, numpy_dtype(FROM_TENSORFLOW[dtype]), shape)
    values = _values(dtype, getattr(proto, _FIELDS[dtype]))
    return _filled(name, values, shape)


def _from_content(name, content, dtype, shape):
    if math.prod(shape) * dtype.itemsize != len(content):
        refuse(name, f"{len(content)} bytes", f"of {shape}, {math.prod(shape) * dtype.itemsize} bytes of {dtype}")
    return np.frombuffer(content, dtype).reshape(shape)


def _values(dtype, field):
    wanted = numpy_dtype(FROM_TENSORFLOW[dtype])
    if _FIELDS[dtype] == "half_val":
        return np.array(field, np.int64).astype(np.uint16).view(wanted)
    return np.array(field, np.int64 if _FIELDS[dtype] == "int_val" else None).astype(wanted)


def _filled(name, values, shape):
    """Return the values in the shape. One value stands for all, as TensorFlow writes constants, within reason."""
    count = math.prod(shape)
    if len(values) == count:
        return values.reshape(shape)
    # A constant of any size fits in a few bytes: what a client may declare is bounded by what it could have sent.
    if len(values) == 1 and count <= 2**20:
        return np.full(shape, values[0], values.dtype)
    return refuse(name, f"{len(values)} values", f"of {count} values, for the shape {shape}")


def _strings(name, values, shape):
    if len(values) != math.prod(shape):
        refuse(name, f"{len(values)} values", f"of {math.prod(shape)} values, for the shape {shape}")
    array = np.empty(len(values), object)
    array[:] = values
    return array.reshape(shape)


def to_proto(value) -> tensor_pb2.TensorProto:
    """Return an array, or nested lists, as a TensorProto; text as UTF-8."""
    array = np.asarray(value)
    if array.dtype.kind in "OUS":
        array = np.asarray(value, object)
        items = [item.encode("utf-8") if isinstance(item, str) else bytes(item) for item in array.ravel().tolist()]
        proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, string_val=items)
    else:
        kind = TENSORFLOW[array.dtype.name]
        content = np.ascontiguousarray(array).tobytes()
        proto = tensor_pb2.TensorProto(dtype=types_pb2.DataType.Value(kind), tensor_content=content)
    for side in array.shape:
        proto.tensor_shape.dim.add(size=side)
    return proto
