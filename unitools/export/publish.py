"""A folder appears under its final name whole, or not at all."""

import contextlib
import os
import shutil
import socket
from pathlib import Path


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
        FileExistsError: `path` exists and `overwrite` is False. Checked before the block runs, and again after it.
    """
    path = Path(path).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear(path)
    _check_free(path, overwrite)
    partial = _beside(path, "partial")
    partial.mkdir()
    try:
        yield partial
        _check_free(path, overwrite)
        _move_in(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check_free(path, overwrite):
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"`path` must be a name that is free. Received path={str(path)!r}, which exists. "
            "Give another name, or overwrite=True to replace it."
        )


def _move_in(partial, path):
    if not path.exists():
        os.rename(partial, path)
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
