"""keras_hub costs seconds, so it is imported only when one of its backbones is asked for."""

import subprocess
import sys

SCRIPT = """
import socket, sys
def refuse(*arguments, **options):
    raise SystemExit("a connection was tried")
socket.socket.connect = socket.getaddrinfo = refuse
import unitools.backbones as backbones
backbones.load("mobilenet", weights=None)
assert "keras_hub" not in sys.modules
backbones.load("resnet18", weights=None)
assert "keras_hub" in sys.modules
"""


def test_keras_hub_is_imported_on_first_use_and_connects_nowhere():
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-2000:]
