"""What an adapter file holds."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from unitools.adaptation.adapter_file_error import AdapterFileError
from unitools.core.checks import fail
from unitools.core.durable import write_file
from unitools.core.version import VERSION

# The package itself stands above this folder, which imports `core` alone.
_FORMAT, _VERSION = "unitools adapter", 1
_DESCRIPTION = ("kind", "config", "targets", "base", "fingerprint")


@dataclass(frozen=True)
class AdapterContent:
    """All that was trained, and on what.

    Args:
        kind: Name of the adapter's class.
        config: Its arguments.
        targets: Titles of the layers that have a part.
        base: {name: [dtype, *shape]} of the base's weights.
        fingerprint: Of the base's weights that are not in the file.
        own: Values of the adapter's own weights and seeds, by title of the layer and name.
        weights: Values of the base's weights that were trained, by title of the layer and name.
    """

    kind: str
    config: dict[str, Any]
    targets: list[str]
    base: dict[str, list]
    fingerprint: str
    own: dict[str, np.ndarray]
    weights: dict[str, np.ndarray]

    def write(self, path: Path) -> Path:
        """Write the file, whole or not at all."""
        if path.suffix != ".safetensors":
            fail("path", str(path), "a name that ends with .safetensors", "Other programs tell the format by it.")
        tensors = {f"own:{key}": value for key, value in self.own.items()}
        tensors |= {f"weight:{key}": value for key, value in self.weights.items()}
        tensors = {key: np.asarray(value, order="C") for key, value in tensors.items()}
        versions = {"unitools": VERSION, "keras": keras.__version__, "tensorflow": tf.__version__}
        description = {"version": _VERSION, "sha256": _digest(tensors)} | {
            name: getattr(self, name) for name in _DESCRIPTION
        }
        metadata = {"format": _FORMAT, "description": json.dumps(description), "written_by": json.dumps(versions)}
        return write_file(path, save(tensors, metadata))

    @classmethod
    def read(cls, path: Path) -> "AdapterContent":
        """Read a file, or say what is wrong with it."""
        if not path.is_file():
            raise AdapterFileError(f"No file at {path}. Expected an adapter that `save_adapter` wrote. Check the path.")
        try:
            with safe_open(str(path), framework="numpy") as file:
                metadata = file.metadata() or {}
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
        except (SafetensorError, OSError) as error:
            raise AdapterFileError(
                f"{path} is no whole safetensors file: {error}. It is damaged or was cut short: take another copy."
            ) from error
        description = _description(metadata, path)
        if description["sha256"] != _digest(tensors):
            raise AdapterFileError(f"{path} is damaged: its values are not those that were written. Take another copy.")
        own, weights = (
            {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
            for prefix in ("own:", "weight:")
        )
        return cls(**{name: description[name] for name in _DESCRIPTION}, own=own, weights=weights)


def _description(metadata, path):
    if metadata.get("format") != _FORMAT:
        raise AdapterFileError(
            f"{path} is a safetensors file, but no adapter of unitools. Give a file that `save_adapter` wrote; for a "
            "backbone's weights use unitools.backbones."
        )
    try:
        description = json.loads(metadata["description"])
        complete = {"version", "sha256", *_DESCRIPTION} <= set(description)
    except (KeyError, TypeError, json.JSONDecodeError):
        complete = False
    if not complete:
        raise AdapterFileError(f"{path} is damaged: its description cannot be read. Take another copy.")
    if description["version"] > _VERSION:
        raise AdapterFileError(
            f"{path} is an adapter file of version {description['version']}; this unitools reads up to {_VERSION}. "
            f"Written by {metadata.get('written_by')}: update unitools."
        )
    return description


def _digest(tensors):
    """Return the SHA-256 over all values: safetensors itself notices no flipped bit."""
    digest = hashlib.sha256()
    for key in sorted(tensors):
        digest.update(key.encode())
        digest.update(tensors[key].tobytes())
    return digest.hexdigest()
