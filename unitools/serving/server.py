"""A server in this process."""

import contextlib
import socket
import threading
import time
from pathlib import Path

from unitools.core.checks import check_integer
from unitools.core.optional import require
from unitools.serving.metrics import Metrics
from unitools.serving.models.model_store import ModelStore
from unitools.serving.models.models_config import read_models_config
from unitools.serving.server_settings import ServerSettings

_BACKLOG = 2048
_POLL_S = 0.02


class Server:
    """Serves the models of a folder by TensorFlow Serving's REST v1 and gRPC, and by the Open Inference Protocol v2.

    What asks it here asks TensorFlow Serving or KServe in production, by changing the address alone. The ports are
    open once every model has been loaded. Use it as a context manager, or `start` and `stop` it.

    Args:
        folder: `FOLDER/MODEL/VERSION/` as TensorFlow Serving lays it out, or one model's folder, or one version's; or
            a file models.config of TensorFlow Serving.
        host: Address to listen at. Default 127.0.0.1: this machine alone.
        port: Port of HTTP; 0 for any that is free. Default 8501.
        grpc_port: Port of gRPC; 0 for any that is free. Default None: no gRPC.
        settings: Batching, limits, security. Default: `ServerSettings()`.

    Attributes:
        url: Address of HTTP, once started.
        grpc_address: HOST:PORT of gRPC, once started, or None.
        store: The models.

    Raises:
        ValueError: The folder holds no model, or one that cannot be loaded.
        OSError: The port is taken.
        ImportError: The packages of the extra `serve` are missing.

    Example:
    >>> import keras, tempfile, unitools as ut
    >>> layers = [keras.Input((4,), name="features"), keras.layers.Dense(2, "softmax")]
    >>> path = tempfile.mkdtemp() + "/demo/1"
    >>> _ = ut.export.saved_model(keras.Sequential(layers), path, "arrays", labels=["no", "yes"], fresh_process=False)
    >>> with ut.serving.Server(path, port=0) as server, ut.serving.Client(server.url) as client:
    ...     client.predict("demo", {"features": [[0.0, 0.0, 0.0, 0.0]]})["probabilities"].tolist()
    [[0.5, 0.5]]
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        host: str = "127.0.0.1",
        port: int = 8501,
        grpc_port: int | None = None,
        settings: ServerSettings | None = None,
    ):
        check_integer("port", port, 0, 65535)
        if grpc_port is not None:
            check_integer("grpc_port", grpc_port, 0, 65535)
        self._uvicorn = require("uvicorn", "serve", "`Server`")
        for package in ("fastapi", "orjson"):
            require(package, "serve", "`Server`")
        self._host, self._port, self._grpc_port = host, port, grpc_port
        self._settings = settings or ServerSettings()
        self._metrics = Metrics()
        models = read_models_config(Path(folder)) if Path(folder).is_file() else folder
        self.store = ModelStore(
            models,
            self._settings.batching,
            require_manifest=self._settings.require_manifest,
            poll_s=self._settings.poll_s,
            observe=self._metrics.batch_ran,
        )
        self.url = self.grpc_address = None
        self._draining = False
        self._thread = self._grpc = None

    def start(self) -> "Server":
        """Load the models, then listen.

        Returns:
            The server.
        """
        if self._draining:
            raise RuntimeError("A server that was stopped cannot be started again. Make another `Server`.")
        with contextlib.ExitStack() as undo:
            listener = undo.enter_context(_listener(self._host, self._port))
            self.store.start()
            undo.callback(self.store.close)
            if self._grpc_port is not None:
                self._start_grpc()
                undo.callback(self._grpc.stop, 0)
            listener.listen(_BACKLOG)
            self._start_http(listener)
            undo.pop_all()
        return self

    def _start_http(self, listener):
        from unitools.serving.rest.application import application
        from unitools.serving.rest.head_limit import http_protocol

        security, limits = self._settings.security, self._settings.limits
        config = self._uvicorn.Config(
            application(self.store, self._settings, self._metrics, lambda: self._draining),
            http=http_protocol(),
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=max(1, round(limits.drain_s)),
            ssl_certfile=security.certificate,
            ssl_keyfile=security.private_key,
        )
        self._http = _QuietServer(self._uvicorn.Server(config))
        self._thread = threading.Thread(target=self._http.run, args=(listener,), daemon=True)
        self._thread.start()
        self._http.wait_until_started(self._thread)
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.url = f"http{'s' if security.certificate else ''}://{host}:{listener.getsockname()[1]}"

    def _start_grpc(self):
        from unitools.serving.rpc.grpc_server import GrpcServer

        self._grpc = GrpcServer(self.store, self._settings, self._metrics, self._host, self._grpc_port)
        self._grpc.start()
        self.grpc_address = self._grpc.address

    def stop(self):
        """Take no more connections, answer what is owed, close, and let the models go.

        A client whose connection is open gets its answer with `Connection: close`; one that asks nothing is closed
        after a second.
        """
        if self._thread is None:
            return
        self._http.stop_listening()
        self._draining = True
        if self._grpc is not None:
            self._grpc.stop(self._settings.limits.drain_s)
        self._http.drain(self._settings.limits.drain_s)
        self._thread.join()
        self.store.close()
        self._thread = self._grpc = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class _QuietServer:
    """uvicorn's server, told from another thread what to do; signals are the command's own matter."""

    def __init__(self, server):
        self._server = server

    def run(self, listener):
        with contextlib.closing(listener):
            self._server.run(sockets=[listener])

    def wait_until_started(self, thread):
        while not self._server.started:
            if not thread.is_alive():
                raise RuntimeError("The HTTP server could not start. Its log says why.")
            time.sleep(_POLL_S)

    def stop_listening(self):
        """Let new connections be refused, while open ones go on."""
        for server in self._server.servers:
            server.get_loop().call_soon_threadsafe(server.close)

    def drain(self, seconds, idle_s=1.0):
        """Wait for open connections to get their last answer, close those that ask nothing, then end."""
        end = time.monotonic() + min(seconds, idle_s)
        while self._server.server_state.connections and time.monotonic() < end:
            time.sleep(_POLL_S)
        self._server.should_exit = True


def _listener(host, port):
    """Return a socket that holds the address, and does not listen yet."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol's number: without it asyncio leaves Nagle's algorithm on, which costs 40 ms an answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OSError(f"Cannot listen at {host}:{port}: {error.strerror}. Give another port, or 0 for any.") from error
    return listener
