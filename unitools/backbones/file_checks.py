"""What is known about a file before a parser sees it."""

import hashlib
from pathlib import Path

from unitools.backbones.weights_file_error import WeightsFileError
from unitools.core.checks import check_choice, fail

_BEGINNINGS = {
    ".h5": (b"\x89HDF\r\n\x1a\n", "HDF5"),
    ".hdf5": (b"\x89HDF\r\n\x1a\n", "HDF5"),
    ".keras": (b"PK\x03\x04", "zip"),
}
WEIGHTS_SUFFIXES = (".weights.h5", ".safetensors", ".keras", ".h5", ".hdf5")


def weights_format(path: str | Path) -> str:
    """Return the format that a file's name ends with: one of `WEIGHTS_SUFFIXES`."""
    for suffix in WEIGHTS_SUFFIXES:
        if str(path).lower().endswith(suffix):
            return suffix
    return check_choice("path", str(path), tuple(f"...{suffix}" for suffix in WEIGHTS_SUFFIXES))


def check_file(path: str | Path, sha256: str | None = None) -> Path:
    """Return `path`, or raise if the file is not one that can hold weights.

    Args:
        path: The file.
        sha256: Its SHA-256 in hexadecimal, 64 digits, or None to leave it unchecked.

    Raises:
        WeightsFileError: The file is missing or empty, is a Git LFS pointer or a web page, does not begin as its format
            does, or has another hash. The message names it.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsFileError(f"No file at {path}. Expected a weights file. Check the path.")
    with path.open("rb") as file:
        head = file.read(512)
    _check_head(path, head)
    if sha256 is not None:
        check_sha256(path, sha256)
    return path


def check_sha256(path: str | Path, sha256: str) -> None:
    """Raise if the file's SHA-256 is not `sha256`."""
    if not isinstance(sha256, str) or len(sha256) != 64 or set(sha256.lower()) - set("0123456789abcdef"):
        fail("sha256", sha256, "64 hexadecimal digits")
    found = file_sha256(path)
    if found != sha256.lower():
        raise WeightsFileError(
            f"{path} has the SHA-256 {found}, expected {sha256.lower()}. The file is damaged or another one: fetch it "
            "again, or give its own hash if you trust it."
        )


def file_sha256(path: str | Path) -> str:
    """Return the file's SHA-256 in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_head(path, head):
    if not head:
        raise WeightsFileError(f"{path} is empty (0 bytes). Expected weights. Fetch it again.")
    if head.startswith(b"version https://git-lfs"):
        raise WeightsFileError(
            f"{path} is a Git LFS pointer, not the file itself. Run `git lfs pull` in its repository."
        )
    if head.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise WeightsFileError(
            f"{path} is a web page, not weights. Download the raw file instead of the page about it."
        )
    beginning, kind = _BEGINNINGS.get(path.suffix.lower(), (b"", ""))
    if not head.startswith(beginning):
        raise WeightsFileError(
            f"{path} begins with {head[:8]!r}, expected {kind} data. The file is damaged or of another format than its "
            "name says: fetch it again, or rename it."
        )
