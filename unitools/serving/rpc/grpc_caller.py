"""TensorFlow Serving's gRPC, from the asking side."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from unitools.core.checks import fail
from unitools.core.optional import require
from unitools.serving.client.serving_error import ServingError
from unitools.serving.dtypes import holds_text

_LONGEST_WAIT_S = 10.0
_MAX_MESSAGE = 2**31 - 1
_STATUS = {
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}


class GrpcCaller:
    """Sends tensors as they are.

    Args:
        address: HOST:PORT.
        api_key: Sent as x-api-key, or None.
        certificate: PEM file of the authority that signed the server's certificate, or None for no TLS.
        timeout_s: Seconds to wait for an answer.
        retries: How many times to try again where the server is busy.
    """

    def __init__(self, address: str, api_key: str | None, certificate: Any, timeout_s: float, retries: int):
        self._grpc = require("grpc", "serve", 'protocol="grpc"')
        require("tensorflow_serving.apis", "serve", 'protocol="grpc"')
        from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

        if "://" in address or ":" not in address:
            fail("address", address, 'HOST:PORT with protocol="grpc"', "Leave http:// out; give `certificate` for TLS.")
        options = [("grpc.max_receive_message_length", _MAX_MESSAGE), ("grpc.max_send_message_length", _MAX_MESSAGE)]
        if certificate is None:
            self._channel = self._grpc.insecure_channel(address, options)
        else:
            trusted = self._grpc.ssl_channel_credentials(Path(certificate).read_bytes())
            self._channel = self._grpc.secure_channel(address, trusted, options)
        self._address = address
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)
        self._metadata = (("x-api-key", api_key),) if api_key else ()
        self._timeout_s, self._retries = timeout_s, retries

    def predict(self, model, inputs: Mapping[str, Any], version, label, signature) -> dict[str, np.ndarray]:
        """Return the outputs by name."""
        from tensorflow_serving.apis import predict_pb2

        from unitools.serving.rpc.tensors import from_proto, to_proto

        request = predict_pb2.PredictRequest()
        _choose(request.model_spec, model, version, label)
        request.model_spec.signature_name = signature or ""
        described = self._lists(inputs, model, version, signature)
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(to_proto(_typed(value, described.get(name))))
        answer = self._call(self._prediction.Predict, request)
        return {name: from_proto(name, proto) for name, proto in answer.outputs.items()}

    def _lists(self, inputs, model, version, signature):
        """Return the dtypes that the model takes where lists of numbers are given, which have none of their own."""
        if all(isinstance(value, np.ndarray) or holds_text(value) for value in inputs.values()):
            return {}
        signatures = self.metadata(model, version)["signatures"]
        return signatures.get(signature or "serving_default", {"inputs": {}})["inputs"]

    def metadata(self, model, version) -> dict[str, Any]:
        """Return name, version, and signatures with inputs and outputs."""
        from tensorflow_serving.apis import get_model_metadata_pb2

        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        _choose(request.model_spec, model, version, None)
        answer = self._call(self._prediction.GetModelMetadata, request)
        found = get_model_metadata_pb2.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(found)
        signatures = {name: _sides(one) for name, one in found.signature_def.items() if one.method_name}
        return {"name": model, "version": answer.model_spec.version.value, "signatures": signatures}

    def status(self, model) -> list[dict[str, Any]]:
        """Return version, state and error of each version."""
        from tensorflow_serving.apis import get_model_status_pb2

        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = model
        states = get_model_status_pb2.ModelVersionStatus.State
        return [
            {"version": one.version, "state": states.Name(one.state), "error": one.status.error_message}
            for one in self._call(self._models.GetModelStatus, request).model_version_status
        ]

    def ready(self, model) -> bool:
        """Return whether a version of the model answers."""
        return any(one["state"] == "AVAILABLE" for one in self.status(model))

    def close(self):
        """Close the channel."""
        self._channel.close()

    def _call(self, method, request):
        for left in range(self._retries, -1, -1):
            try:
                return method(request, timeout=self._timeout_s, metadata=self._metadata)
            except self._grpc.RpcError as error:
                wait = dict(error.trailing_metadata() or ()).get("retry-after")
                # Without it the server was not reached, or there is nothing to wait for.
                if not left or wait is None:
                    raise self._refused(error) from error
            time.sleep(min(float(wait), _LONGEST_WAIT_S))
        raise AssertionError("the last try returns or raises")

    def _refused(self, error):
        code = error.code().name
        status = _STATUS.get(code, 500)
        if code == "CANCELLED":  # not by us
            return ServingError(503, f"The server at {self._address} ended before it answered.")
        if code == "UNAVAILABLE" and not error.trailing_metadata():
            return ServingError(0, f"No answer from {self._address}: {error.details()}")
        return ServingError(status, error.details() or code)


def _choose(spec, model, version, label):
    spec.name = model
    if version is not None and label is not None:
        fail("label", label, "None where `version` is given")
    if version is not None:
        spec.version.value = version
    if label is not None:
        spec.version_label = label


def _sides(signature):
    return {
        "inputs": {key: _described(info) for key, info in signature.inputs.items()},
        "outputs": {key: _described(info) for key, info in signature.outputs.items()},
    }


def _described(info):
    from tensorflow import dtypes

    shape = [None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim]
    return {"dtype": dtypes.as_dtype(info.dtype).name, "shape": shape}


def _typed(value, described):
    if described is None or isinstance(value, np.ndarray) or described["dtype"] == "string":
        return value
    array = np.asarray(value)
    return array.astype(described["dtype"]) if array.dtype.kind in "iuf" else array
