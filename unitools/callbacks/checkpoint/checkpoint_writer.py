"""Writes checkpoints beside the training."""

import threading
from collections.abc import Callable

from unitools.callbacks.checkpoint.checkpoint import Checkpoint
from unitools.callbacks.checkpoint.checkpoint_store import CheckpointStore


class CheckpointWriter:
    """Writes one checkpoint at a time, in a thread or at once.

    Args:
        store: Where to.
        background: Whether in a thread. The next one then waits for it.
        failed: Is told the checkpoint and the error where one could not be written. Called in the caller's thread.
    """

    def __init__(self, store: CheckpointStore, background: bool, failed: Callable[[Checkpoint, OSError], None]):
        self._store, self._background, self._failed = store, background, failed
        self._thread, self._error = None, None

    def write(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint after the one before it."""
        self.wait()
        # No daemon: Python waits for it at its end.
        self._thread = threading.Thread(target=self._save, args=(checkpoint,))
        self._thread.start()
        if not self._background:
            self.wait()

    @property
    def is_busy(self) -> bool:
        """Whether a checkpoint is being written."""
        return self._thread is not None and self._thread.is_alive()

    def wait(self) -> None:
        """Wait until nothing is being written."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._error is not None:
            error, self._error = self._error, None
            self._failed(*error)

    def _save(self, checkpoint):
        try:
            self._store.save(checkpoint)
        except OSError as error:
            self._error = checkpoint, error
