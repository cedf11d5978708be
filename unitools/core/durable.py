"""Files and folders that are there whole, or not at all, after a crash or a loss of power too."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

_WRITING = ".writing-"
"""Start of the names of what is not finished."""


def write_file(path: str | os.PathLike, content: bytes | Callable[[Path], None]) -> Path:
    """Write a file aside, force it to the disk, and rename it to its name.

    A reader sees the old file or the new one. Where writing fails (a full disk, say), the old one stays.

    Args:
        path: Name of the file. What lies there is replaced.
        content: The bytes; or a function that writes the file at the path it is given, which has the same suffix.

    Returns:
        The path.

    Raises:
        OSError: It could not be written.

    Example:
    >>> from unitools.core.durable import write_file
    >>> write_file("score.txt", b"0.9").read_bytes()
    b'0.9'
    """
    path = Path(path)
    aside = path.with_name(f"{_WRITING}{os.getpid()}-{path.name}")
    try:
        if callable(content):
            content(aside)
        else:
            aside.write_bytes(content)
        sync(aside)
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    sync(path.parent)
    return path


@contextlib.contextmanager
def new_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Give an empty folder beside `path`, and rename it to `path` when the block ends without an error.

    All files in it are on the disk before it gets its name.

    Args:
        path: Name of the folder, which must be free.

    Yields:
        The folder to fill.

    Raises:
        OSError: A file could not be written, or the name is taken. Nothing is left then.
    """
    path = Path(path)
    aside = path.with_name(f"{_WRITING}{os.getpid()}-{path.name}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        yield aside
        for entry in sorted(aside.rglob("*")):
            sync(entry)
        sync(aside)
        os.rename(aside, path)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    sync(path.parent)


def sync(path: str | os.PathLike) -> None:
    """Force a file, or the entries of a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def clear_unfinished(folder: str | os.PathLike, name: str = "*") -> list[Path]:
    """Remove what killed processes left unfinished in a folder, and return it. No other process may write it now.

    Args:
        folder: The folder.
        name: What was to be written there, a pattern. Default: anything.
    """
    left = list(Path(folder).glob(f"{_WRITING}*-{name}"))
    for entry in left:
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    return left
