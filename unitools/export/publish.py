"""A folder appears under its final name whole, or not at all."""

import contextlib
import errno
import os
import shutil
import socket
import threading
from pathlib import Path

from unitools.export.full_disk import telling_of_a_full_disk

_LOCK = threading.Lock()
_UNDER_WAY: set[Path] = set()
"""What threads of this process write: their temporary folders have one name, by the process."""


@contextlib.contextmanager
def publishing(path, overwrite=False):
    """Give a temporary folder beside `path`, and rename it to `path` when the block ends without an error.

    Any error, an interrupt included, removes the temporary folder. What a killed process left behind is cleared by
    the next export to the same path from the same machine. An old folder is moved aside, and back if the rename
    fails.

    Args:
        path: Final name of the folder.
        overwrite: Replace what lies at `path`. Default False.

    Yields:
        Path of the temporary folder, which exists and is empty.

    Raises:
        FileExistsError: `path` exists and `overwrite` is False. Checked before the block runs, and again after it: of
            two that write to one path, the later gets it. Or another thread of this process writes to `path`.
        OSError: The disk is full.
    """
    path = Path(path).absolute()
    with _alone(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear(path)
        _check_free(path, overwrite)
        partial = _beside(path, "partial")
        partial.mkdir()
        try:
            with telling_of_a_full_disk(partial, path):
                yield partial
            _check_free(path, overwrite)
            _move_in(partial, path, overwrite)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@contextlib.contextmanager
def _alone(path):
    with _LOCK:
        if path in _UNDER_WAY:
            _refuse(path, "to which another thread writes", "Give another name.")
        _UNDER_WAY.add(path)
    try:
        yield
    finally:
        with _LOCK:
            _UNDER_WAY.discard(path)


def _check_free(path, overwrite):
    if path.exists() and not overwrite:
        _refuse(path, "which exists", "Give another name, or overwrite=True to replace it.")


def _refuse(path, reason, advice):
    raise FileExistsError(f"`path` must be a name that is free. Received path={str(path)!r}, {reason}. {advice}")


def _move_in(partial, path, overwrite):
    if not overwrite or not path.exists():
        try:
            os.rename(partial, path)
        except OSError as error:
            # It appeared since we looked. A folder that is not empty is never replaced by a rename.
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                _check_free(path, overwrite=False)
            raise
        return
    aside = _beside(path, "replaced")
    os.rename(path, aside)
    try:
        os.rename(partial, path)
    except BaseException:
        os.rename(aside, path)
        raise
    _remove(aside)


def _beside(path, purpose):
    return path.with_name(f".{path.name}.{purpose}-{socket.gethostname()}-{os.getpid()}")


def _clear(path):
    """Undo what processes of this machine left when they were killed."""
    prefixes = {purpose: f".{path.name}.{purpose}-{socket.gethostname()}-" for purpose in ("replaced", "partial")}
    for purpose, prefix in prefixes.items():
        for left in [entry for entry in path.parent.iterdir() if entry.name.startswith(prefix)]:
            if _runs(left.name.removeprefix(prefix)):
                continue
            if purpose == "replaced" and not path.exists():
                os.rename(left, path)  # killed between the two renames: the old export is the only one
            else:
                _remove(left)


def _remove(entry):
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


def _runs(process):
    if not process.isdigit() or int(process) == os.getpid():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
