"""Weights and what is known of them in one file, so that the two cannot disagree."""

import json
import os
import zipfile
from typing import Any

import h5py
import keras
import safetensors.numpy

from unitools.callbacks.checkpoint.variables import assign_variables, read_variables
from unitools.core.checks import fail
from unitools.core.durable import write_file

SUFFIXES = (".weights.h5", ".safetensors", ".keras")
_KEY = "unitools"
_ENTRY = "unitools.json"


def check_weight_path(name: str, path: str | os.PathLike) -> str:
    """Return the path as text, or raise unless its suffix is one of `SUFFIXES`."""
    if not isinstance(path, (str, os.PathLike)) or not os.fspath(path).endswith(SUFFIXES):
        fail(name, path, "a path that ends in .weights.h5, .safetensors or .keras", "For instance 'best.safetensors'.")
    return os.fspath(path)


def write_weights(path: str, model: keras.Model, record: dict[str, Any]) -> None:
    """Write a model's weights, in a .keras file the whole model, and the record, aside; then rename.

    Raises:
        OSError: It could not be written. The file of before stays.
    """
    write_file(path, lambda aside: _writer(path)(str(aside), model, json.dumps(record)))


def read_record(path: str) -> dict[str, Any]:
    """Return the record of a file that `write_weights` wrote.

    Raises:
        ValueError: It is no such file.
    """
    try:
        text = _record_text(path)
    except (OSError, KeyError, zipfile.BadZipFile, safetensors.SafetensorError) as error:
        _refuse(path, f"{type(error).__name__}: {error}", error)
    if text is None:
        _refuse(path, "it holds no score")
    return json.loads(text)


def read_weights(path: str, model: keras.Model) -> None:
    """Put the weights of a file into a model.

    Raises:
        ValueError: They are of another model.
    """
    if not path.endswith(".safetensors"):
        _load_with_keras(path, model)
        return
    missing = assign_variables(model.weights, safetensors.numpy.load_file(path))
    if missing:
        raise ValueError(
            f"The weights in {path!r} must be those of this model. Received none for {missing[:3]}. "
            "Give the model that was trained, or one that is made as it was."
        )


def _load_with_keras(path, model):
    # Keras would load the optimizer's variables too, and refuse a model whose optimizer has none yet.
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None:
        model.optimizer = None
    try:
        model.load_weights(path)
    finally:
        if optimizer is not None:
            model.optimizer = optimizer


def _writer(path):
    writers = {".weights.h5": _write_h5, ".safetensors": _write_safetensors, ".keras": _write_keras}
    return next(writer for suffix, writer in writers.items() if path.endswith(suffix))


def _write_h5(path, model, text):
    model.save_weights(path)
    with h5py.File(path, "a") as file:
        file.attrs[_KEY] = text


def _write_keras(path, model, text):
    model.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(_ENTRY, text)


def _write_safetensors(path, model, text):
    try:
        safetensors.numpy.save_file(read_variables(model.weights), path, {_KEY: text})
    except safetensors.SafetensorError as error:
        raise OSError(
            f"{path!r} could not be written: {error}. Free space on the disk, or give another path."
        ) from error


def _record_text(path):
    if path.endswith(".safetensors"):
        with safetensors.safe_open(path, "np") as file:
            return (file.metadata() or {}).get(_KEY)
    if path.endswith(".keras"):
        with zipfile.ZipFile(path) as archive:
            return archive.read(_ENTRY).decode()
    with h5py.File(path) as file:
        return file.attrs.get(_KEY)


def _refuse(path, why, cause=None):
    raise ValueError(
        f"`path` must be free, or hold weights that BestWeights wrote. Received path={path!r}, which cannot be taken "
        f"over: {why}. Move the file away, or give another path."
    ) from cause
