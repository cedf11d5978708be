"""The process of a trial, as the search sees it."""

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import time
from multiprocessing import Pipe
from multiprocessing.connection import wait
from typing import Any

from unitools.tuning.trial_record import TrialRecord

_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from unitools.tuning.trial_process import main; "
_OUTPUT_LINES = 20
_LEAVE_S = 30.0  # that a process has to end after it has told its result


class RunningTrial:
    """Starts the process of a trial, hears what it reports, and knows how it ended.

    The process is a new one, not a fork: it has what it imports itself, and gives all memory back. What it prints is in
    output.txt of the trial's folder.

    Args:
        record: The trial.
        job: What the process is told.
        limit_s: Seconds after which it is killed, or None.
    """

    def __init__(self, record: TrialRecord, job: dict[str, Any], limit_s: float | None):
        self.record, self._limit_s = record, limit_s
        self._message, self._timed_out = None, False
        record.folder.mkdir(parents=True, exist_ok=True)
        self._output = record.folder / "output.txt"
        self.connection, theirs = Pipe()
        command = [sys.executable, "-c", _BOOT + f"main({theirs.fileno()})", json.dumps(sys.path)]
        self._begin = time.monotonic()
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # so that what the trial has started is killed with it
                env=os.environ | {"UNITOOLS_TRIAL": str(record.number)},
            )
        theirs.close()
        self._send(job)

    def reports(self) -> list[tuple[int, float]]:
        """Return the (step, value) that have come since. Each is waited for: `answer` it."""
        found = []
        with contextlib.suppress(EOFError, OSError):
            while self.connection.poll():
                message = json.loads(self.connection.recv_bytes())
                if message["kind"] == "report":
                    found.append((message["step"], message["value"]))
                else:
                    self._message, self._told = message, time.monotonic()
        return found

    def answer(self, stop: bool) -> None:
        """Tell the trial whether to end."""
        self._send({"stop": stop})

    def has_ended(self) -> bool:
        """Return whether the process has ended; one beyond its time is killed."""
        if self._limit_s is not None and time.monotonic() - self._begin > self._limit_s and self._message is None:
            self._timed_out = self._process.poll() is None
            self.kill()
        if self._message is not None and time.monotonic() - self._told > _LEAVE_S:
            self.kill()  # a thread that the build left behind keeps it
        return self._process.poll() is not None

    def kill(self) -> None:
        """End the process now, and all it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """End the process, if it runs, and close the connection."""
        self.kill()
        self.connection.close()

    def outcome(self, objective: str) -> dict[str, Any]:
        """Return how the trial ended: state, score, scores, error, seconds."""
        self.reports()
        message = self._message or {}
        outcome = {"state": "failed", "score": None, "scores": {}, "error": {}}
        outcome["seconds"] = round(time.monotonic() - self._begin, 3)
        if message.get("kind") == "result":
            scores = message["scores"]
            finite = math.isfinite(scores[objective])
            state = "pruned" if message["pruned"] else "done" if finite else "diverged"
            return outcome | {"state": state, "score": scores[objective] if finite else None, "scores": scores}
        if self._timed_out:
            error = {"stage": "run", "message": f"ran longer than {self._limit_s:g} s", "traceback": ""}
            return outcome | {"state": "timeout", "error": self._with_output(error)}
        if message.get("kind") == "error":
            return outcome | {"error": self._with_output({name: message[name] for name in _ERROR})}
        return outcome | self._death()

    def _death(self):
        code = self._process.returncode
        if code is not None and code < 0:
            text = f"killed by {signal.Signals(-code).name}"
            text += ", as the system does where memory runs out" if -code == signal.SIGKILL else ""
        else:
            text = f"ended with exit code {code} before build returned"
        error = self._with_output({"stage": "run", "message": text, "traceback": ""})
        return {"state": "killed" if code is not None and code < 0 else "failed", "error": error}

    def _with_output(self, error):
        lines = self._output.read_text(errors="replace").splitlines()
        return error | {"output": "\n".join(lines[-_OUTPUT_LINES:])}

    def _send(self, message):
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send_bytes(json.dumps(message).encode())


_ERROR = ("stage", "message", "traceback")


def wait_for(trials: list[RunningTrial], seconds: float) -> None:
    """Wait until one of the trials has something to say, or so long."""
    wait([trial.connection for trial in trials], timeout=seconds) if trials else time.sleep(seconds)
