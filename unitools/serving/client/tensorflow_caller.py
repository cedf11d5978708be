"""TensorFlow Serving's REST API, from the asking side."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np

from unitools.serving.client.http_caller import HttpCaller
from unitools.serving.client.serving_error import ServingError
from unitools.serving.dtypes import FROM_TENSORFLOW, numpy_dtype


class TensorflowCaller:
    """Asks by columns, and gives the outputs their dtypes from the model's metadata.

    Args:
        http: What sends.
    """

    def __init__(self, http: HttpCaller):
        self._http = http
        self._outputs: dict[tuple, dict] = {}

    def predict(self, model, inputs: Mapping[str, Any], version, label, signature) -> dict[str, np.ndarray]:
        """Return the outputs by name."""
        content = {"inputs": {name: _plain(value) for name, value in inputs.items()}}
        if signature is not None:
            content["signature_name"] = signature
        # Before the question: the answer may be the last of a server that stops.
        specs = self._specs(model, version, signature)
        found = self._http.call("POST", f"{_path(model, version, label)}:predict", content)["outputs"]
        if len(specs) == 1:  # then the output has no name
            return {name: _array(found, spec) for name, spec in specs.items()}
        if set(found) != set(specs):  # another version has taken over
            specs = self._specs(model, version, signature, anew=True)
        return {name: _array(value, specs[name]) for name, value in found.items()}

    def metadata(self, model, version) -> dict[str, Any]:
        """Return name, version, and signatures with inputs and outputs."""
        told = self._http.call("GET", f"{_path(model, version, None)}/metadata")
        signatures = told["metadata"]["signature_def"]["signature_def"]
        # TensorFlow Serving lists an initializer too, which has no method.
        asked = {name: one for name, one in signatures.items() if one.get("method_name")}
        return {
            "name": model,
            "version": int(told["model_spec"]["version"]),
            "signatures": {name: _sides(one) for name, one in asked.items()},
        }

    def status(self, model) -> list[dict[str, Any]]:
        """Return version, state and error of each version."""
        states = self._http.call("GET", _path(model, None, None))["model_version_status"]
        return [
            {"version": int(one["version"]), "state": one["state"], "error": one["status"]["error_message"]}
            for one in states
        ]

    def ready(self, model) -> bool:
        """Return whether a version of the model answers."""
        return any(one["state"] == "AVAILABLE" for one in self.status(model))

    def close(self):
        """Close the connections."""
        self._http.close()

    def _specs(self, model, version, signature, anew=False):
        """Return {output: {"dtype", "shape"}} of a signature."""
        key = (model, version, signature)
        if anew or key not in self._outputs:
            signatures = self.metadata(model, version)["signatures"]
            name = signature or "serving_default"
            if name not in signatures:
                raise ServingError(404, f"Model {model!r} has no signature {name!r}. It has {sorted(signatures)}.")
            self._outputs[key] = signatures[name]["outputs"]
        return self._outputs[key]


def _path(model, version, label):
    path = f"/v1/models/{quote(model, safe='')}"
    if version is not None:
        path += f"/versions/{int(version)}"
    return path + (f"/labels/{quote(label, safe='')}" if label is not None else "")


def _sides(signature):
    return {side: {key: _described(info) for key, info in signature[side].items()} for side in ("inputs", "outputs")}


def _described(info):
    dims = info["tensor_shape"].get("dim", [])
    shape = [None if int(one["size"]) < 0 else int(one["size"]) for one in dims]
    return {"dtype": FROM_TENSORFLOW.get(info["dtype"], info["dtype"]), "shape": shape}


def _plain(value):
    """Return arrays as they are, and bytes in JSON's way."""
    if isinstance(value, np.ndarray):
        return np.ascontiguousarray(value) if value.dtype.kind not in "OUS" else _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode("ascii")}
    return value


def _array(value, spec):
    if spec["dtype"] != "string":
        return np.asarray(value, numpy_dtype(spec["dtype"]))
    return np.array(_bytes(value), object) if isinstance(value, list) else np.array(_bytes([value])[0], object)


def _bytes(values):
    return [_bytes(one) if isinstance(one, list) else _one(one) for one in values]


def _one(value):
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value.encode("utf-8")
