"""Serve until a signal says stop."""

import signal
import threading
from collections.abc import Callable
from pathlib import Path

from unitools.serving.server import Server
from unitools.serving.server_settings import ServerSettings


def serve(
    folder: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8501,
    grpc_port: int | None = 8500,
    settings: ServerSettings | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Serve the models of a folder until SIGTERM or SIGINT, then drain. For the main thread of a process.

    Args:
        folder: As for `Server`.
        host: Address to listen at. Default 127.0.0.1: this machine alone.
        port: Port of HTTP; 0 for any that is free. Default 8501.
        grpc_port: Port of gRPC; 0 for any that is free; None for no gRPC. Default 8500.
        settings: Batching, limits, security. Default: `ServerSettings()`.
        say: Called with one line once the ports are open: the models and the addresses. Default: print.

    Raises:
        ValueError: As of `Server`.
        OSError: A port is taken.
    """
    asked_to_stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: asked_to_stop.set()) for number in _SIGNALS}
    try:
        with Server(folder, host=host, port=port, grpc_port=grpc_port, settings=settings) as server:
            rpc = f", gRPC at {server.grpc_address}" if server.grpc_address else ""
            say(f"{', '.join(server.store.names())}: {server.url}{rpc}")
            while not asked_to_stop.wait(1.0):
                pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_SIGNALS = (signal.SIGTERM, signal.SIGINT)
