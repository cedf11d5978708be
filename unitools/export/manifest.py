"""What belongs to an export, file by file: manifest.json with sizes and SHA-256."""

import hashlib
import json
from pathlib import Path, PurePosixPath

from unitools.export.unsafe_artefact_error import UnsafeArtefactError

MANIFEST = "manifest.json"
FORMAT = 1
_CHUNK = 2**20


def write_manifest(folder: Path) -> None:
    """Write manifest.json over all other files of the folder."""
    files = {
        name: {"sha256": _digest(folder / name), "bytes": (folder / name).stat().st_size} for name in _files(folder)
    }
    content = json.dumps({"format": FORMAT, "files": files}, indent=1, sort_keys=True)
    (folder / MANIFEST).write_text(content + "\n", encoding="utf-8")


def check_manifest(folder: Path) -> dict[str, int]:
    """Return the bytes of each file, once all are what manifest.json says.

    Raises:
        UnsafeArtefactError: There is none, it cannot be read, or a file is missing, additional, or different.
    """
    folder = Path(folder)
    expected = _read(folder)
    present = set(_files(folder))
    missing, additional = sorted(set(expected) - present), sorted(present - set(expected))
    if missing or additional:
        raise UnsafeArtefactError(
            f"{folder} must hold the files of its {MANIFEST}. Missing: {missing[:5]}; additional: {additional[:5]}. "
            "It may be half written. Copy it again, or export again."
        )
    for name, (digest, size) in expected.items():
        if (folder / name).stat().st_size != size or _digest(folder / name) != digest:
            raise UnsafeArtefactError(
                f"{folder / name} must be what {MANIFEST} says. It was changed or cut short. Copy it again, or export "
                "again."
            )
    return {name: size for name, (_, size) in expected.items()}


def _read(folder):
    """Return {name: (digest, bytes)} of the manifest."""
    file = folder / MANIFEST
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UnsafeArtefactError(
            f"{folder} must hold {MANIFEST}, which the exports of unitools write last. It may be half written, or of "
            "another origin; then look at require_manifest=False."
        ) from error
    except (ValueError, RecursionError) as error:
        raise UnsafeArtefactError(f"{file} must be JSON. It cannot be read: {error}. Export again.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        given = content.get("format") if isinstance(content, dict) else content
        advice = "It is of another version of unitools: load it there, or export again."
        raise UnsafeArtefactError(f"{file} must be of format {FORMAT}. Received {given!r}. {advice}")
    try:
        return {_inside(name): (one["sha256"], int(one["bytes"])) for name, one in content["files"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnsafeArtefactError(f"{file} must name files with sha256 and bytes. {error!r}. Export again.") from error


def _inside(name):
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/") or "\\" in name or "\0" in name:
        raise ValueError(f"{name!r} leaves the folder")
    return name


def _files(folder):
    """Return the names of all files but the manifest; links are refused, since they may lead anywhere."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise UnsafeArtefactError(f"{path} must be a file. It is a link. Copy what it leads to.")
        if path.is_file() and path.relative_to(folder).as_posix() != MANIFEST:
            found.append(path.relative_to(folder).as_posix())
    return found


def _digest(file):
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
