"""From values of a request to arrays that fit a signature, or a reason."""

import numpy as np

from unitools.serving.dtypes import numpy_dtype
from unitools.serving.models.picture_pixels import declared_pixels
from unitools.serving.models.tensor import Tensor
from unitools.serving.request_error import refuse

# 200 MB once decoded. The pictures of a batch are decoded side by side.
MAX_PIXELS = 2**26
_KINDS = {"bool": "b", "int": "iu", "uint": "iu", "float": "iuf", "bfloat": "iufV"}


def checked_array(tensor: Tensor, value) -> np.ndarray:
    """Return `value`, an array or nested lists, as an array that fits `tensor`.

    Integers pass for floats, not the other way round; strings are given as str or bytes. Numbers must be finite and
    fit the dtype: what a model answers for NaN is seldom what somebody wants to know.

    Raises:
        RequestError: 400: the dtype, the shape or a number does not fit.
    """
    array = _strings(tensor, value) if tensor.is_string else _numbers(tensor, value)
    if not tensor.fits(array.shape):
        wanted = tuple("any" if side is None else side for side in tensor.shape)
        refuse(tensor.name, array.shape, f"of shape ({', '.join(map(str, wanted))})", "Look at the model's metadata.")
    return array


def _numbers(tensor, value):
    try:
        given = np.asarray(value)
    except (ValueError, TypeError, OverflowError):
        refuse(tensor.name, value, f"lists of {tensor.dtype} with equal lengths at each depth")
    kinds = _KINDS.get(tensor.dtype.rstrip("0123456789"))
    if kinds is None:
        refuse(tensor.name, tensor.dtype, "of a dtype that can be asked for here", "Export another signature.")
    if given.dtype.kind not in kinds and given.size:
        refuse(tensor.name, value if given.dtype.kind in "OUS" else str(given.dtype), f"of dtype {tensor.dtype}")
    dtype = numpy_dtype(tensor.dtype)
    if given.dtype.kind in "fV" and not np.isfinite(given).all():
        refuse(tensor.name, "NaN or infinity", "of finite numbers")
    with np.errstate(over="ignore", invalid="ignore"):
        array = given.astype(dtype)
    if given.dtype.kind in "iu" and dtype.kind in "iu" and not np.array_equal(array, given):
        refuse(tensor.name, value, f"within the range of {tensor.dtype}")
    if array.dtype.kind in "fV" and not np.isfinite(array).all():
        refuse(tensor.name, value, f"within the range of {tensor.dtype}")
    return array


def _strings(tensor, value):
    if isinstance(value, np.ndarray):
        value = value.tolist()
    shape, flat = _shape_and_items(tensor, value)
    array = np.empty(len(flat), object)
    array[:] = [_encoded(tensor, item) for item in flat]
    return array.reshape(shape)


def _shape_and_items(tensor, value):
    """Return the lengths of nested lists, and what lies at their ends."""
    shape, level = [], [value]
    while level and isinstance(level[0], list):
        if len(shape) > len(tensor.shape):
            refuse(tensor.name, "deeper lists", f"lists of depth {len(tensor.shape)}")
        length = len(level[0])
        if not all(isinstance(item, list) and len(item) == length for item in level):
            refuse(tensor.name, value, "lists of strings with equal lengths at each depth")
        shape.append(length)
        level = [item for row in level for item in row]
    return shape, level


def _encoded(tensor, item):
    if isinstance(item, bytes):
        pixels = declared_pixels(item)
        if pixels > MAX_PIXELS:
            refuse(tensor.name, f"a picture of {pixels} pixels", f"of at most {MAX_PIXELS} pixels, over all frames")
        return item
    if isinstance(item, str):
        try:
            return item.encode("utf-8")
        except UnicodeEncodeError:
            refuse(tensor.name, item, "text without lone surrogates")
    return refuse(tensor.name, item, 'strings; bytes as {"b64": "..."}')
