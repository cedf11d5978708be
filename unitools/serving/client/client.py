"""Ask a server."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from unitools.core.checks import check_choice, check_integer, check_number


class Client:
    """Asks a server that speaks TensorFlow Serving's REST or gRPC, or the Open Inference Protocol.

    It asks `ut.serving.Server`, TensorFlow Serving, KServe and MLServer alike: what changes in production is the
    address. It may be used by several threads at a time.

    Args:
        address: `http://HOST:PORT` or `https://HOST:PORT`; for gRPC `HOST:PORT`.
        protocol: "tensorflow" (REST v1, default), "open-inference" (REST v2) or "grpc" (TensorFlow Serving's).
        api_key: Key to send. Default None.
        certificate: PEM file of the authority that signed the server's certificate; with gRPC it turns TLS on.
            Default None: HTTPS trusts the system's authorities, gRPC uses no TLS.
        timeout_s: Seconds to wait for an answer. Default 30.
        retries: How many times to ask again where the server is busy (429, 503). Default 3.

    Raises:
        ValueError: An argument is out of range.

    Example:
    >>> from unitools.serving import Client
    >>> with Client("http://127.0.0.1:1", retries=0) as client:
    ...     client.predict("flowers", {"images": [[0.0]]})
    Traceback (most recent call last):
    ...
    unitools.serving.client.serving_error.ServingError: No answer from 127.0.0.1:1: ConnectionRefusedError(111, ...)
    """

    def __init__(
        self,
        address: str,
        *,
        protocol: str = "tensorflow",
        api_key: str | None = None,
        certificate: str | Path | None = None,
        timeout_s: float = 30.0,
        retries: int = 3,
    ):
        check_choice("protocol", protocol, ("tensorflow", "open-inference", "grpc"))
        check_number("timeout_s", timeout_s, 0, open_low=True)
        check_integer("retries", retries, 0)
        self._caller = _caller(protocol, (address, api_key, certificate, timeout_s, retries))

    def predict(
        self,
        model: str,
        inputs: Mapping[str, Any],
        *,
        version: int | None = None,
        label: str | None = None,
        signature: str | None = None,
    ) -> dict[str, np.ndarray]:
        """Return the outputs by name, with their dtypes; strings as bytes.

        Args:
            model: Name of the model.
            inputs: Arrays or nested lists by the name of the input, rows first. Pictures as bytes.
            version: Number of the version. Default None: the newest.
            label: Label of a version.
            signature: Name of the signature. Default None: `serving_default`.

        Raises:
            ServingError: The server refuses, or does not answer.
        """
        return self._caller.predict(model, inputs, version, label, signature)

    def metadata(self, model: str, *, version: int | None = None) -> dict[str, Any]:
        """Return {"name", "version", "signatures": {name: {"inputs", "outputs"}}} of a model.

        Args:
            model: Name of the model.
            version: Number of the version. Default None: the newest.

        Raises:
            ServingError: The server refuses, or does not answer.
        """
        return self._caller.metadata(model, version)

    def status(self, model: str) -> list[dict[str, Any]]:
        """Return [{"version", "state", "error"}] of a model.

        Args:
            model: Name of the model.

        Raises:
            ServingError: The server refuses, or does not answer.
        """
        return self._caller.status(model)

    def ready(self, model: str) -> bool:
        """Return whether a model answers.

        Args:
            model: Name of the model.

        Raises:
            ServingError: The server does not know the model, or does not answer.
        """
        return self._caller.ready(model)

    def close(self) -> None:
        """Close the connections."""
        self._caller.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _caller(protocol, settings):
    if protocol == "grpc":
        from unitools.serving.rpc.grpc_caller import GrpcCaller

        return GrpcCaller(*settings)
    from unitools.serving.client.http_caller import HttpCaller
    from unitools.serving.client.open_inference_caller import OpenInferenceCaller
    from unitools.serving.client.tensorflow_caller import TensorflowCaller

    return {"tensorflow": TensorflowCaller, "open-inference": OpenInferenceCaller}[protocol](HttpCaller(*settings))
