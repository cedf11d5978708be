"""Saving and loading weights in every supported format."""

import os
import tempfile
from pathlib import Path

import keras

from unitools.backbones.file_checks import check_file, file_sha256, weights_format
from unitools.backbones.h5_format import h5_recipe, load_h5, save_h5, weights_inside_keras
from unitools.backbones.legacy_h5_format import load_legacy_h5
from unitools.backbones.safetensors_format import load_safetensors, safetensors_recipe, save_safetensors
from unitools.backbones.weights_report import WeightsReport
from unitools.core.checks import check_choice

_WRITERS = {
    ".weights.h5": save_h5,
    ".safetensors": save_safetensors,
    ".keras": lambda model, path: keras.saving.save_model(model, path),
}


def save_weights(model: keras.Model, path: str | Path) -> str:
    """Write a model's weights to a file, and return the file's SHA-256.

    The file appears under its name when it is whole, or not at all.

    Args:
        model: The model. What a `Backbone` knows of its architecture is written too, so that `load` can take the file
            alone.
        path: File name. It ends in `.weights.h5`, `.safetensors`, or `.keras` (architecture and preprocessing too).

    Returns:
        SHA-256 in hexadecimal, for the `sha256` of `load_weights` and `load`.

    Raises:
        ValueError: The ending is none of these.
    """
    path = Path(path)
    suffix = check_choice("path", weights_format(path), tuple(_WRITERS), "Other endings can be read, not written.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".saving_") as folder:
        part = Path(folder) / f"part{suffix}"
        _WRITERS[suffix](model, part)
        digest = file_sha256(part)
        os.replace(part, path)
    return digest


def load_weights(
    model: keras.Model, path: str | Path, *, allow_partial: bool = False, sha256: str | None = None
) -> WeightsReport:
    """Set a model's weights from a file.

    Args:
        model: A built model.
        path: File that ends in `.weights.h5`, `.safetensors` (as `save_weights` writes it), `.keras`, or `.h5`
            (Keras 2, as keras.applications publishes).
        allow_partial: Whether to load what matches if not everything does. A file of which nothing matches is an error
            in any case.
        sha256: The file's SHA-256 in hexadecimal. Defaults to None, unchecked.

    Returns:
        The report on what was matched, missing, unexpected and of the wrong shape.

    Raises:
        WeightsFileError: The file is missing, damaged or has another hash, or the load is partial and that is not
            allowed; the text is then the report, and the model is as it was.
    """
    path = check_file(path, sha256)
    suffix = weights_format(path)
    if suffix == ".safetensors":
        return load_safetensors(model, path, allow_partial)
    if suffix == ".weights.h5":
        return load_h5(model, path, allow_partial)
    if suffix == ".keras":
        with weights_inside_keras(path) as inside:
            return load_h5(model, inside, allow_partial, source=path)
    return load_legacy_h5(model, path, allow_partial)


def read_recipe(path: str | Path) -> dict | None:
    """Return how to build the architecture of a weights file, or None if it does not say."""
    readers = {".weights.h5": h5_recipe, ".h5": h5_recipe, ".hdf5": h5_recipe, ".safetensors": safetensors_recipe}
    reader = readers.get(weights_format(path))
    return None if reader is None else reader(Path(path))
