"""The manifest of a checkpoint: written last, it says what belongs to it."""

import hashlib
import json
from pathlib import Path

from unitools.callbacks.checkpoint.checkpoint_error import CheckpointError

FORMAT = 1
"""Version of the layout. A checkpoint of a higher one is refused."""
_NAME = "manifest.json"


class CheckpointVersionError(CheckpointError):
    """A checkpoint was written by a newer version of unitools."""


def write_manifest(folder: Path, header: dict) -> None:
    """Write sizes and SHA-256 of all files in the folder, under what `header` says of the checkpoint."""
    files = {file.name: {"bytes": file.stat().st_size, "sha256": _digest(file)} for file in sorted(folder.iterdir())}
    content = {"format": FORMAT, **header, "files": files}
    text = json.dumps(content | {"sha256": _digest_of_itself(content)}, indent=1)
    (folder / _NAME).write_text(text, encoding="utf-8")


def read_manifest(folder: Path) -> dict:
    """Return the manifest after a check of every file it names.

    Raises:
        CheckpointVersionError: The layout is of a newer version.
        CheckpointError: There is no manifest, it cannot be read, or a file is missing or not the one that was written.
    """
    try:
        manifest = json.loads((folder / _NAME).read_text(encoding="utf-8"))
        version, digest, files = manifest["format"], manifest.pop("sha256"), dict(manifest["files"])
    except FileNotFoundError as error:
        raise CheckpointError("it has no manifest") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"its manifest cannot be read ({error})") from error
    if not isinstance(version, int) or version > FORMAT:
        raise CheckpointVersionError(
            f"{folder} must be a checkpoint of format {FORMAT} or older. Received format {version!r}. "
            "Use the version of unitools that wrote it, or another folder to begin anew."
        )
    if digest != _digest_of_itself(manifest):
        raise CheckpointError("its manifest is not what was written (SHA-256)")
    for name, expected in files.items():
        _check_file(folder / name, expected)
    return manifest


def _check_file(file, expected):
    try:
        size = file.stat().st_size
        if size != expected["bytes"]:
            raise CheckpointError(f"{file.name} has {size} bytes of {expected['bytes']}")
        if _digest(file) != expected["sha256"]:
            raise CheckpointError(f"{file.name} is not what was written (SHA-256)")
    except FileNotFoundError as error:
        raise CheckpointError(f"{file.name} is missing") from error
    except (OSError, KeyError, TypeError) as error:
        raise CheckpointError(f"{file.name} cannot be read ({error})") from error


def _digest_of_itself(content):
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _digest(file):
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
