"""The port of gRPC."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from unitools.core.optional import require

_THREADS = 64


class GrpcServer:
    """Answers PredictionService and ModelService of TensorFlow Serving.

    Args:
        store: The models.
        settings: `ServerSettings`: largest message, key, TLS.
        metrics: `Metrics`.
        host: Address to listen at.
        port: Port; 0 for any that is free.

    Attributes:
        address: HOST:PORT.

    Raises:
        OSError: The port is taken.
        ImportError: The packages of the extra `serve` are missing.
    """

    def __init__(self, store, settings, metrics, host: str, port: int):
        grpc = require("grpc", "serve", "gRPC")
        require("tensorflow_serving.apis", "serve", "gRPC")
        from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

        from unitools.serving.rpc.closing_interceptor import ClosingInterceptor
        from unitools.serving.rpc.model_service import ModelService
        from unitools.serving.rpc.prediction_service import PredictionService
        from unitools.serving.rpc.unreadable_interceptor import UnreadableInterceptor

        size = settings.limits.max_body_bytes
        options = [("grpc.max_receive_message_length", size), ("grpc.max_send_message_length", -1)]
        options.append(("grpc.so_reuseport", 0))  # a taken port is an error, not a shared one
        self._closing = ClosingInterceptor()
        # Beyond the threads calls wait in the executor; beyond the limit they are refused at once.
        self._server = grpc.server(
            ThreadPoolExecutor(_THREADS, "grpc"),
            options=options,
            interceptors=[self._closing, UnreadableInterceptor()],
            maximum_concurrent_rpcs=settings.limits.max_requests,
        )
        service = (store, settings, metrics)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(PredictionService(*service), self._server)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(*service), self._server)
        host = f"[{host}]" if ":" in host else host
        self.address = f"{host}:{self._bound(grpc, settings.security, host, port)}"

    def _bound(self, grpc, security, host, port):
        try:
            if security.certificate is None:
                return self._server.add_insecure_port(f"{host}:{port}")
            pair = Path(security.private_key).read_bytes(), Path(security.certificate).read_bytes()
            return self._server.add_secure_port(f"{host}:{port}", grpc.ssl_server_credentials([pair]))
        except RuntimeError as error:
            raise OSError(f"Cannot listen at {host}:{port} for gRPC. Give another port, or 0 for any.") from error

    def start(self) -> None:
        """Begin to answer."""
        self._server.start()

    def stop(self, grace_s: float) -> None:
        """Refuse new calls, and wait for those in work, at most `grace_s` seconds."""
        if grace_s:
            self._closing.close()
        self._server.stop(grace_s).wait()
