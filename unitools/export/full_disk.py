"""One error for a disk that is full, whoever met it."""

import contextlib
import errno
import os
import shutil
import tempfile
from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def telling_of_a_full_disk(folder, path):
    """Raise `OSError` with what is needed, where the block fails since a disk is full.

    TensorFlow, h5py and processes of their own say so by errors of many classes, which hold the system's text.

    Args:
        folder: Folder that the block fills.
        path: Final name of the folder, for the message.

    Raises:
        OSError: With the `errno` of the fault: ENOSPC, EDQUOT (quota) or EFBIG (largest file).
    """
    try:
        yield
    except Exception as error:
        number = next((number for number in _FULL if _says(error, number)), None)
        if number is None:
            raise
        raise OSError(number, _message(Path(folder), Path(path), number)) from error


def _says(error, number):
    return getattr(error, "errno", None) == number or os.strerror(number) in str(error)


def _message(folder, path, number):
    return (
        f"`path` must lie on a disk with room for the export. Received path={str(path)!r}: {os.strerror(number)}. "
        f"{_advice(folder, path, number)} Or give another path. Nothing was left behind, and what lay at the path "
        "before is still there."
    )


def _advice(folder, path, number):
    if number == errno.EFBIG:
        return "A file is larger than this process may write: raise the limit (ulimit -f)."
    if number == errno.EDQUOT:
        return "The quota is used up: raise it, or remove what is not needed."
    written = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    room = written + shutil.disk_usage(path.parent).free
    return f"The export takes more than the {room:,} bytes that there are for it{_of_temporary_files()}: make room."


def _of_temporary_files():
    try:
        folder = tempfile.gettempdir()
    except FileNotFoundError:  # it writes one to see
        return ""
    return f", or its verification more than the {shutil.disk_usage(folder).free:,} in {folder}"
