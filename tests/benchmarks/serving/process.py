"""The served command as a process: `python -m unitools serve`, as on a production machine."""

import contextlib
import re
import signal
import subprocess
import sys
import time

import psutil


class ServedProcess:
    """A running server, its addresses, how long it took to be ready, and its memory."""

    def __init__(self, folder, *options):
        command = [sys.executable, "-m", "unitools", "serve", str(folder), "--port", "0", "--grpc-port", "0", *options]
        begin = time.perf_counter()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.ready_seconds = time.perf_counter() - begin
        found = re.search(r"(https?://[\w.:]+?:\d+).* ([\w.]+:\d+)", line)
        if not found:
            raise RuntimeError(f"The server must print its addresses. It printed {line!r}.")
        self.url, self.grpc_address = found.groups()

    def resident_megabytes(self):
        """Return the resident memory now."""
        return psutil.Process(self.process.pid).memory_info().rss / 2**20

    def terminate(self):
        """Send SIGTERM."""
        self.process.send_signal(signal.SIGTERM)


@contextlib.contextmanager
def served(folder, *options):
    """Yield a `ServedProcess`; it is asked to end afterwards, and killed after 30 s."""
    server = ServedProcess(folder, *options)
    try:
        yield server
    finally:
        server.terminate()
        try:
            server.process.wait(30)
        except subprocess.TimeoutExpired:
            server.process.kill()
