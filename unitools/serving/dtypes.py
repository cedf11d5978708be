"""Names of dtypes: TensorFlow's are ours, and what each protocol calls them."""

import numpy as np

_INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
TENSORFLOW = {
    "bool": "DT_BOOL",
    "string": "DT_STRING",
    "float16": "DT_HALF",
    "bfloat16": "DT_BFLOAT16",
    "float32": "DT_FLOAT",
    "float64": "DT_DOUBLE",
    **{name: f"DT_{name.upper()}" for name in _INTEGERS},
}
OPEN_INFERENCE = {
    "bool": "BOOL",
    "string": "BYTES",
    "float16": "FP16",
    "bfloat16": "BF16",
    "float32": "FP32",
    "float64": "FP64",
    **{name: name.upper() for name in _INTEGERS},
}
FROM_TENSORFLOW = {theirs: name for name, theirs in TENSORFLOW.items()}
FROM_OPEN_INFERENCE = {theirs: name for name, theirs in OPEN_INFERENCE.items()}


def numpy_dtype(name: str) -> np.dtype:
    """Return numpy's dtype of a name; strings are objects."""
    if name == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(object if name == "string" else name)


def holds_text(value) -> bool:
    """Return whether an array, or nested lists, hold strings or bytes, by the first of them."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "OUS"
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return isinstance(value, (str, bytes))
