"""The options of `serve`."""

import argparse
from pathlib import Path

from unitools.cli.option_types import integer_from, not_negative

_ABOUT = """Serve exports by TensorFlow Serving's REST and gRPC, and by the Open Inference Protocol.

FOLDER holds MODEL/VERSION/saved_model.pb, as `unitools.export.saved_model` writes them; or it is one model's folder,
one version's, or a file models.config of TensorFlow Serving. New versions are served as they appear. SIGTERM and Ctrl-C
answer what is owed, then end.
"""


def add_serve_arguments(commands) -> None:
    """Add the command `serve`. The defaults are those of `unitools.serving`, which would load TensorFlow here."""
    parser = commands.add_parser(
        "serve",
        help="models over REST and gRPC",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="models and their versions")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    parser.add_argument("--port", type=integer_from(0), default=8501, help="of HTTP; 0 for any (default: %(default)s)")
    parser.add_argument(
        "--grpc-port", type=integer_from(0), default=8500, help="of gRPC; 0 for any (default: %(default)s)"
    )
    parser.add_argument("--no-grpc", action="store_true", help="HTTP alone")
    _add_batching(parser)
    _add_limits(parser)
    parser.add_argument("--api-key-file", type=Path, metavar="FILE", help="what clients must send (default: no key)")
    parser.add_argument("--tls-certificate", type=Path, metavar="FILE", help="PEM file (default: no TLS)")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="PEM file of the certificate's key")
    parser.add_argument(
        "--any-saved-model", action="store_true", help="serve folders without manifest.json too (default: refuse them)"
    )


def _add_batching(parser):
    parser.add_argument(
        "--max-batch-size",
        type=integer_from(1),
        default=64,
        metavar="ROWS",
        help="that are put together; 1 for one by one (default: %(default)s)",
    )
    parser.add_argument(
        "--max-wait-ms",
        type=not_negative,
        default=0.0,
        metavar="MS",
        help="that an idle model waits for more requests (default: 0)",
    )
    parser.add_argument(
        "--queue-limit",
        type=integer_from(1),
        default=1024,
        metavar="ROWS",
        help="that may wait; more get status 503 (default: %(default)s)",
    )


def _add_limits(parser):
    parser.add_argument(
        "--max-body-mib", type=integer_from(1), default=32, metavar="MIB", help="of a request (default: %(default)s)"
    )
    parser.add_argument(
        "--timeout", type=not_negative, default=30.0, metavar="SECONDS", help="for an answer (default: %(default)s)"
    )
    parser.add_argument(
        "--drain",
        type=not_negative,
        default=20.0,
        metavar="SECONDS",
        help="to answer what is owed (default: %(default)s)",
    )
