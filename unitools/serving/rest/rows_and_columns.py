"""TensorFlow Serving's two JSON forms of a request: "instances", row by row, and "inputs", column by column."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from unitools.serving.models.tensor import Tensor
from unitools.serving.request_error import RequestError, refuse
from unitools.serving.rest.body import as_text, decoded, is_base64, to_base64

_KEYS = {"signature_name", "instances", "inputs"}


def read_request(content: Mapping[str, Any], specs: Mapping[str, Tensor]) -> tuple[dict[str, Any], bool]:
    """Return ({input: nested lists}, whether the request came in rows).

    Args:
        content: The body.
        specs: What the signature takes.

    Raises:
        RequestError: 400: the body is of neither form.
    """
    unknown = set(content) - _KEYS
    if unknown:
        refuse("body", sorted(unknown), f"an object with the keys {sorted(_KEYS)}")
    if ("instances" in content) == ("inputs" in content):
        raise RequestError(400, 'Give "instances", a list with one entry a row, or "inputs"; one of them.')
    rows = "instances" in content
    columns = _from_rows(content["instances"], specs) if rows else _from_columns(content["inputs"], specs)
    return {
        name: decoded(name, value) if name in specs and specs[name].is_string else value
        for name, value in columns.items()
    }, rows


def _from_rows(instances, specs):
    if not isinstance(instances, list) or not instances:
        refuse("instances", instances, "a list with at least one entry")
    named = [isinstance(row, dict) and not (len(specs) == 1 and is_base64(row)) for row in instances]
    if not any(named):
        if len(specs) != 1:
            refuse("instances", "rows without names", f"objects with {sorted(specs)}, as the model has several inputs")
        return {next(iter(specs)): instances}
    if not all(named) or any(set(row) != set(instances[0]) for row in instances):
        refuse("instances", "different rows", f"all of one form: objects with {sorted(specs)}")
    return {name: [row[name] for row in instances] for name in instances[0]}


def _from_columns(inputs, specs):
    if isinstance(inputs, dict) and not (len(specs) == 1 and is_base64(inputs)):
        return inputs
    if len(specs) != 1:
        refuse("inputs", "a column without name", f"an object with {sorted(specs)}, as the model has several inputs")
    return {next(iter(specs)): inputs}


def answer_of(outputs: Mapping[str, np.ndarray], rows: bool) -> dict[str, Any]:
    """Return the body that answers: "predictions" for rows, "outputs" for columns. A single output has no name."""
    columns = {name: _plain(name, value) for name, value in outputs.items()}
    if not rows:
        return {"outputs": next(iter(columns.values())) if len(columns) == 1 else columns}
    if len({len(value) if np.ndim(outputs[name]) else -1 for name, value in columns.items()}) != 1:
        raise RequestError(400, 'The outputs have no common first axis. Ask by "inputs" instead of "instances".')
    if len(columns) == 1:
        return {"predictions": next(iter(columns.values()))}
    return {"predictions": [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]}


def _plain(name, value):
    """Return an array as JSON takes it: numbers as they are, bytes as text, or as {"b64": ...}."""
    if value.dtype != object:
        # bfloat16 is a dtype that JSON's writer does not know.
        return np.ascontiguousarray(value.astype(np.float32) if value.dtype.kind == "V" else value)
    texts = [_text(name, item) for item in value.ravel().tolist()]
    return _nested(texts, value.shape)


def _text(name, item):
    text = None if name.endswith("_bytes") else as_text(item)
    return {"b64": to_base64(item)} if text is None else text


def _nested(flat, shape):
    if not shape:
        return flat[0]
    for size in shape[:0:-1]:
        flat = [flat[start : start + size] for start in range(0, len(flat), size)] if size else [[]] * shape[0]
    return flat
