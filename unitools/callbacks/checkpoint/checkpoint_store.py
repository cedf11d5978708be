"""The checkpoints of a run, in one folder."""

import fcntl
import os
import shutil
from pathlib import Path

from unitools.callbacks.checkpoint.checkpoint import Checkpoint
from unitools.callbacks.checkpoint.checkpoint_error import CheckpointError
from unitools.callbacks.checkpoint.manifest import CheckpointVersionError
from unitools.core.durable import clear_unfinished, new_folder

_LOCK = ".lock"
_ASIDE = "aside-"
# Locks of this process by folder. A `fit` that ended with an error does not let go of its own, and the next may use it.
_HELD = {}


class CheckpointStore:
    """Keeps the last checkpoints of a run, each a folder that appears whole or not at all.

    Args:
        folder: Where they lie. Made where there is none.
        keep: Number of checkpoints kept, >= 1.
    """

    def __init__(self, folder: str, keep: int):
        self._folder, self._keep = Path(folder), keep

    def open(self) -> None:
        """Take the folder for this process until `close`, and clear what a killed one left unfinished.

        Raises:
            CheckpointError: The folder cannot be made or written to, or another process holds it.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._key not in _HELD:
                _HELD[self._key] = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT)
            fcntl.flock(_HELD[self._key], fcntl.LOCK_EX | fcntl.LOCK_NB)
            clear_unfinished(self._folder)
        except BlockingIOError as error:
            self.close()
            raise CheckpointError(
                f"`folder` must be one that no other process trains into. Received folder={str(self._folder)!r}, which "
                "one holds. Wait for it to end, or give another folder."
            ) from error
        except OSError as error:
            self.close()
            raise CheckpointError(
                f"`folder` must be one that can be written to. Received folder={str(self._folder)!r}: {error}. "
                "Training has not begun."
            ) from error

    def close(self) -> None:
        """Let other processes use the folder."""
        lock = _HELD.pop(self._key, None)
        if lock is not None:
            os.close(lock)

    def __str__(self):
        return str(self._folder)

    @property
    def _key(self):
        return os.path.realpath(self._folder)

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, then remove all but the last `keep`.

        Raises:
            OSError: It could not be written. Those there were are still there.
        """
        path = self._folder / checkpoint.name
        if path.exists():
            return  # a run between two steps has one state only
        with new_folder(path) as folder:
            checkpoint.write(folder)
        for old in self._entries()[: -self._keep]:
            shutil.rmtree(old, ignore_errors=True)

    def newest(self) -> tuple[Checkpoint | None, list[str]]:
        """Return the newest checkpoint that is whole, or None; and a text for each that was passed over.

        Raises:
            CheckpointVersionError: A newer version of unitools wrote one.
        """
        skipped = []
        for entry in reversed(self._entries()):
            try:
                return Checkpoint.read(entry), skipped
            except CheckpointVersionError:
                raise
            except CheckpointError as error:
                skipped.append(f"{entry.name}: {error}")
        return None, skipped

    def set_aside(self, epoch: int, step: int) -> None:
        """Rename the checkpoints that come after a step, so that the run's next ones are not older than them."""
        name = Checkpoint(epoch, step).name
        for entry in [entry for entry in self._entries() if entry.name > name]:
            target = self._folder / f"{_ASIDE}{entry.name}"
            shutil.rmtree(target, ignore_errors=True)
            os.rename(entry, target)

    def _entries(self):
        if not self._folder.is_dir():
            return []
        return sorted(entry for entry in self._folder.iterdir() if entry.name.startswith("epoch-"))
