"""The log of a search."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unitools.tuning.failed_search_error import FailedSearchError


class SearchLog:
    """A file of JSON lines to which several processes append, and of which nothing that was written is lost.

    Each line is forced to the disk before the search acts on it. A last line that a killed process left unfinished is
    cut off.

    Args:
        folder: Folder of the search.
    """

    def __init__(self, folder: Path):
        self.path = folder / "log.jsonl"
        self._lock = folder / "log.lock"
        self._position = 0
        self._lines = 0

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from the log. `read_new` and `append` are called in here only."""
        with self._lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def read_new(self) -> list[dict[str, Any]]:
        """Return the lines that were added since this object last read or wrote.

        Raises:
            FailedSearchError: A line is damaged.
        """
        if not self.path.exists():
            return []
        with self.path.open("r+b") as file:
            file.seek(self._position)
            data = file.read()
            whole = data.rfind(b"\n") + 1
            if whole < len(data):
                file.truncate(self._position + whole)
        events = [self._event(line) for line in data[:whole].splitlines()]
        self._position += whole
        return events

    def append(self, event: dict[str, Any]) -> None:
        """Add a line. It is on the disk when this returns."""
        line = json.dumps(event, allow_nan=False).encode() + b"\n"
        with self.path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self._position += len(line)
        self._lines += 1

    def _event(self, line):
        self._lines += 1
        try:
            return json.loads(line)
        except ValueError as error:
            raise FailedSearchError(
                f"Line {self._lines} of {self.path} must be JSON. Received {line[:80]!r}. The file was damaged from "
                "outside: take the line out, or give another folder."
            ) from error
