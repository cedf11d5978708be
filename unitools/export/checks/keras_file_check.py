"""Look at a .keras file, before its layers are made and its weights are read."""

import importlib
import json
import math
import re
import zipfile
from collections.abc import Collection
from pathlib import Path

import keras
from keras.src.backend.common import global_state
from tensorflow import as_dtype

from unitools.export.unsafe_artefact_error import UnsafeArtefactError

IMPORTED = frozenset({"keras", "keras_hub", "unitools"})
"""Packages whose layers a .keras file may name; others must be registered in this process."""
_MEMBERS = ("metadata.json", "config.json", "model.weights.h5")
_MODULES = IMPORTED | {"builtins"}
_LARGEST_CONFIG = 2**26
_WAITING = "uninitialized_variables"


def check_keras_file(file: Path, max_bytes: int, allow_ops: Collection[str] = ()) -> int:
    """Raise unless the file describes layers that are known; return the bytes that these layers declare.

    The layers are made without their weights: a file of a few bytes may ask for all memory.

    Args:
        file: model.keras.
        max_bytes: Most bytes that the members may unpack to.
        allow_ops: Names of classes that are allowed besides.

    Raises:
        UnsafeArtefactError: It cannot be read, holds other members or code, or names a class of another package.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            _check_members(archive, file, max_bytes)
            config = json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, KeyError, ValueError, RecursionError, NotImplementedError, EOFError) as error:
        if isinstance(error, UnsafeArtefactError):
            raise
        raise UnsafeArtefactError(f"{file} must be a .keras file. It cannot be read: {error!r}") from error
    _check_classes(config, file, allow_ops)
    return _variable_bytes(config, file)


def _check_members(archive, file, max_bytes):
    members = archive.infolist()
    strange = [one.filename for one in members if not _is_expected(one.filename)]
    if strange:
        raise UnsafeArtefactError(f"{file} must hold {_MEMBERS} and assets/. It holds {strange[:3]}. Save it again.")
    unpacked = sum(one.file_size for one in members)
    if unpacked > max_bytes:
        raise UnsafeArtefactError(f"{file} must unpack to at most max_bytes={max_bytes:,} bytes. It has {unpacked:,}.")
    if archive.getinfo("config.json").file_size > _LARGEST_CONFIG:
        raise UnsafeArtefactError(f"config.json of {file} must be of at most {_LARGEST_CONFIG:,} bytes.")


def _is_expected(name):
    return name in _MEMBERS or (name.startswith("assets/") and ".." not in name.split("/") and "\\" not in name)


def _check_classes(config, file, allow_ops):
    """Refuse code, and classes that are neither of known packages nor registered."""
    for one in _objects(config):
        name = one["class_name"]
        package = str(one.get("module") or "").partition(".")[0]
        known = package in _MODULES or keras.saving.get_registered_object(one.get("registered_name")) is not None
        # Inner entries of old configs, such as initializers, name no module: Keras knows them or refuses.
        if name in ("Lambda", "__lambda__") or ("module" in one and not known and name not in allow_ops):
            advice = "Register it with keras.saving.register_keras_serializable and import its module first."
            if name in ("Lambda", "__lambda__"):
                advice = "It holds Python code. Write a layer instead."
            raise UnsafeArtefactError(
                f"{file} must hold layers of {sorted(IMPORTED)}, or registered ones. It holds {name} of "
                f"{one.get('module')}. {advice}"
            )


def _objects(config):
    """Yield every description of an object within a config."""
    waiting = [config]
    while waiting:
        one = waiting.pop()
        waiting.extend(one.values() if isinstance(one, dict) else one if isinstance(one, (list, tuple)) else ())
        if isinstance(one, dict) and "class_name" in one:
            yield one


def named_modules(config) -> set[str]:
    """Return the modules of the classes that a config names, without Keras' own parts and Python's."""
    modules = {one.get("module") for one in _objects(config)} - {None, "builtins", "keras"}
    return {one for one in modules if not one.startswith("keras.")}


def register(modules, folder: Path) -> None:
    """Import the modules that an export says its layers are of, which registers them.

    Raises:
        UnsafeArtefactError: One is no module of a package whose layers a .keras file may name.
    """
    sound = isinstance(modules, list) and all(
        isinstance(one, str) and one.partition(".")[0] in IMPORTED and re.fullmatch(r"[a-z_0-9.]*[a-z0-9]", one)
        for one in modules
    )
    if not sound:
        raise UnsafeArtefactError(f"{folder} must import modules of {sorted(IMPORTED)} alone. It names {modules}.")
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise UnsafeArtefactError(f"{folder} must name modules that there are. {error}. Export again.") from error


def _variable_bytes(config, file):
    """Return the bytes of the variables that the layers declare, of which none is made."""
    config.pop("compile_config", None)
    waiting = list(global_state.get_global_attribute(_WAITING) or ())
    try:
        with keras.StatelessScope(initialize_variables=False):
            model = keras.saving.deserialize_keras_object(config, safe_mode=True)
    except Exception as error:
        raise UnsafeArtefactError(f"{file} must describe a model that can be made. Keras says: {error}") from error
    finally:
        # Keras has no public way to forget them, and would make them at the end of the next scope.
        global_state.set_global_attribute(_WAITING, waiting)
    if not isinstance(model, keras.Model):
        raise UnsafeArtefactError(f"{file} must describe a keras.Model. It describes {type(model).__name__}.")
    return sum(math.prod(side or 1 for side in one.shape) * as_dtype(one.dtype).size for one in model.variables)
