"""Which models and versions go into a bundle."""

import re
import shutil
from pathlib import Path
from typing import Any

from unitools.core.checks import fail
from unitools.export.contract import read_contract
from unitools.export.safe_load import check_export

_VERSION = re.compile(r"\d+")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


def bundled_models(path: Path) -> dict[str, tuple[int, Path]]:
    """Return {model: (version, folder)}, the newest version of each model.

    Args:
        path: A version's folder, a model's folder of versions, or a folder of models.

    Raises:
        ValueError: There is none, or a name cannot stand in a configuration.
    """
    if (path / "saved_model.pb").is_file():
        is_number = _VERSION.fullmatch(path.name) is not None
        found = {path.parent.name if is_number else path.name: (int(path.name) if is_number else 1, path)}
    elif _newest(path) is not None:
        found = {path.name: _newest(path)}
    else:
        folders = sorted(one for one in path.iterdir() if one.is_dir()) if path.is_dir() else []
        found = {one.name: _newest(one) for one in folders if _newest(one) is not None}
    if not found:
        wanted = "MODEL/VERSION/saved_model.pb, a model's folder, or a folder of models"
        fail("path", str(path), wanted, "Write one with ut.export.saved_model.")
    strange = [name for name in found if not _MODEL.fullmatch(name)]
    if strange:
        fail("path", strange, "of models named by letters, digits, '-', '_' and '.'", "Rename the folder.")
    return found


def copy_models(models: dict[str, tuple[int, Path]], folder: Path) -> dict[str, dict[str, Any]]:
    """Copy the models below `folder`, check the copies as `load` does, and return what their signature.json say.

    Args:
        models: What `bundled_models` found.
        folder: Where to; made with the first model.

    Raises:
        UnsafeArtefactError: A copy is not what its manifest says, or holds operations that do not compute.
    """
    contracts = {}
    for model, (version, source) in models.items():
        copy = folder / model / str(version)
        shutil.copytree(source, copy)
        check_export(copy)
        contracts[model] = read_contract(copy)
    return contracts


def _newest(folder):
    """Return (version, folder) of the newest version in a model's folder, or None."""
    versions = [
        (int(one.name), one)
        for one in folder.glob("*")
        if _VERSION.fullmatch(one.name) and (one / "saved_model.pb").is_file()
    ]
    return max(versions, default=None)
