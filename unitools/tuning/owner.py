"""Which process runs a trial, and whether it lives."""

import fcntl
import os
import socket
import uuid
from pathlib import Path


class Owner:
    """A process that runs trials of a search. Others can tell whether it lives, after SIGKILL too.

    It holds a lock on a file of its own, which the system takes from it when it ends.

    Args:
        folder: Folder of the search.
    """

    def __init__(self, folder: Path):
        self._folder = folder / "owners"
        self._folder.mkdir(exist_ok=True)
        self.name = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._file = self._path(self.name).open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def is_alive(self, name: str) -> bool:
        """Return whether the owner of that name still runs."""
        path = self._path(name)
        if not path.exists():
            return False
        with path.open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def leave(self) -> None:
        """Let others take over what this owner has not ended."""
        self._path(self.name).unlink(missing_ok=True)
        self._file.close()

    def _path(self, name):
        return self._folder / f"{name}.lock"
