"""`python -m unitools serve`."""

import logging
from collections.abc import Mapping
from typing import Any

from unitools.cli.user_error import UserError, user_errors
from unitools.serving import Batching, Limits, Security, ServerSettings, serve


def run_serve(arguments: Mapping[str, Any]) -> None:
    """Serve until a signal.

    Args:
        arguments: The options by name.

    Raises:
        UserError: Folder, options, ports, certificate or key cannot be used, or packages are missing.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    logging.getLogger("unitools.serving").setLevel(logging.INFO)
    grpc_port = None if arguments["no_grpc"] else arguments["grpc_port"]
    with user_errors():
        settings = _settings(arguments)
        try:
            serve(
                arguments["folder"],
                host=arguments["host"],
                port=arguments["port"],
                grpc_port=grpc_port,
                settings=settings,
                say=lambda line: print(line, flush=True),
            )
        except ImportError as error:
            raise UserError(str(error)) from error


def _settings(given):
    key_file = given["api_key_file"]
    return ServerSettings(
        Batching(given["max_batch_size"], given["max_wait_ms"], given["queue_limit"]),
        Limits(given["max_body_mib"] * 2**20, timeout_s=given["timeout"], drain_s=given["drain"]),
        Security(
            None if key_file is None else key_file.read_text(encoding="utf-8").strip(),
            given["tls_certificate"],
            given["tls_key"],
        ),
        require_manifest=not given["any_saved_model"],
    )
