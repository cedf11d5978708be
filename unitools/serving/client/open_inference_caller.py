"""The Open Inference Protocol over REST, from the asking side."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np

from unitools.core.checks import fail
from unitools.serving.client.http_caller import HttpCaller
from unitools.serving.client.serving_error import ServingError
from unitools.serving.dtypes import FROM_OPEN_INFERENCE, OPEN_INFERENCE, holds_text, numpy_dtype


class OpenInferenceCaller:
    """Sends tensors as flat lists with their shapes.

    Args:
        http: What sends.
    """

    def __init__(self, http: HttpCaller):
        self._http = http
        self._inputs: dict[tuple, dict[str, str]] = {}

    def predict(self, model, inputs: Mapping[str, Any], version, label, signature) -> dict[str, np.ndarray]:
        """Return the outputs by name."""
        if label is not None:
            fail("label", label, "None over the Open Inference Protocol, which knows no labels", "Give `version`.")
        datatypes = self._datatypes(model, version) if signature is None else {}
        content = {"inputs": [_tensor(name, value, datatypes.get(name)) for name, value in inputs.items()]}
        if signature is not None:
            content["parameters"] = {"signature_name": signature}
        answer = self._http.call("POST", f"{_path(model, version)}/infer", content)
        return {one["name"]: _array(one) for one in answer["outputs"]}

    def metadata(self, model, version) -> dict[str, Any]:
        """Return name, version, and the default signature with inputs and outputs."""
        told = self._http.call("GET", _path(model, version))
        numbers = [int(one) for one in told.get("versions") or []]
        sides = {side: {one["name"]: _described(one) for one in told.get(side) or []} for side in ("inputs", "outputs")}
        version = version if version is not None else max(numbers, default=None)
        return {"name": model, "version": version, "signatures": {"serving_default": sides}}

    def status(self, model) -> list[dict[str, Any]]:
        """Return version, state and error of each version that answers; the protocol tells of no other."""
        told = self._http.call("GET", _path(model, None))
        return [{"version": int(one), "state": "AVAILABLE", "error": ""} for one in told.get("versions") or []]

    def ready(self, model) -> bool:
        """Return whether the model answers."""
        try:
            self._http.call("GET", f"{_path(model, None)}/ready")
        except ServingError as error:
            if error.status not in (404, 503):
                raise
            return False
        return True

    def close(self):
        """Close the connections."""
        self._http.close()

    def _datatypes(self, model, version):
        """Return the dtypes that the model takes, so that lists become what it wants."""
        key = (model, version)
        if key not in self._inputs:
            described = self.metadata(model, version)["signatures"]["serving_default"]["inputs"]
            self._inputs[key] = {name: one["dtype"] for name, one in described.items()}
        return self._inputs[key]


def _path(model, version):
    path = f"/v2/models/{quote(model, safe='')}"
    return path if version is None else f"{path}/versions/{int(version)}"


def _described(one):
    dtype = FROM_OPEN_INFERENCE.get(one["datatype"], one["datatype"].lower())
    return {"dtype": dtype, "shape": [None if side < 0 else side for side in one["shape"]]}


def _tensor(name, value, dtype):
    array = np.asarray(value, object if holds_text(value) else None)
    if array.dtype == object:
        items = [item if isinstance(item, bytes) else str(item).encode() for item in array.ravel()]
        data = [base64.b64encode(item).decode("ascii") for item in items]
        found = {"name": name, "shape": list(array.shape), "datatype": "BYTES", "data": data}
        return found | {"parameters": {"content_type": "base64"}}
    given = array.dtype
    if dtype in OPEN_INFERENCE and given.kind in "iuf" and not isinstance(value, np.ndarray):
        array = array.astype(dtype) if np.dtype(dtype).kind == "f" or given.kind in "iu" else array
    data = np.ascontiguousarray(array).ravel()
    return {"name": name, "shape": list(array.shape), "datatype": OPEN_INFERENCE[array.dtype.name], "data": data}


def _array(one):
    dtype = FROM_OPEN_INFERENCE[one["datatype"]]
    if dtype != "string":
        return np.asarray(one["data"], numpy_dtype(dtype)).reshape(one["shape"])
    encoded = (one.get("parameters") or {}).get("content_type") == "base64"
    array = np.empty(len(one["data"]), object)
    array[:] = [base64.b64decode(item) if encoded else item.encode("utf-8") for item in one["data"]]
    return array.reshape(one["shape"])
