"""Open an export, once it was found to be what it should be."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from unitools.core.checks import check_flag, check_integer, fail
from unitools.export.artefact import Artefact
from unitools.export.call_portable import FILES
from unitools.export.call_portable import load as load_portable
from unitools.export.checks.graph_check import check_graph
from unitools.export.checks.keras_file_check import check_keras_file, register
from unitools.export.checks.litert_check import check_litert
from unitools.export.checks.onnx_check import check_onnx
from unitools.export.checks.openvino_check import check_openvino
from unitools.export.contract import CONTRACT, described, read_contract, read_labels
from unitools.export.manifest import MANIFEST, check_manifest
from unitools.export.unsafe_artefact_error import UnsafeArtefactError

_GIB = 2**30


def load(
    path: str | Path,
    *,
    max_bytes: int = 4 * _GIB,
    require_manifest: bool = True,
    allow_ops: Collection[str] = (),
) -> Artefact:
    """Load an export, after everything about it that can be checked without running it.

    Why: a SavedModel is a program, which may read and write files, and a file of a few bytes may ask for all memory.
    Checked are the manifest, the operations of each function, the declared sizes, and the versions that wrote it; of
    the other formats their operations, layers, sizes and references to other files.

    Args:
        path: Folder that an export function of `ut.export` wrote.
        max_bytes: Most bytes that variables and constants may declare. Default 4 GiB.
        require_manifest: Refuse a folder without manifest.json. Default True. False takes exports of others; their
            operations and sizes are checked all the same. A manifest that is there is always checked.
        allow_ops: Names of operations, or classes of a .keras file, that are allowed besides those that compute.
            Default none.

    Returns:
        The loaded export, which is called with arrays by name.

    Raises:
        UnsafeArtefactError: A check fails. Nothing of the export was run.
        ValueError: An argument is out of range, or `path` is no export.

    Example:
    >>> import unitools as ut
    >>> ut.export.load("no/such/folder")
    Traceback (most recent call last):
    ...
    ValueError: `path` must be a folder that an export function wrote. Received path='no/such/folder'. Check the path.
    """
    contract = check_export(path, max_bytes=max_bytes, require_manifest=require_manifest, allow_ops=allow_ops)
    path = Path(path)
    if (contract or {}).get("format", "saved_model") == "saved_model":
        return _loaded(path, contract)
    return _loaded_portable(path, contract)


def check_export(
    path: str | Path, *, max_bytes: int = 4 * _GIB, require_manifest: bool = True, allow_ops: Collection[str] = ()
) -> dict[str, Any] | None:
    """Return the content of signature.json, or None where there is none, after the checks of `load`.

    Args:
        path: As for `load`.
        max_bytes: As for `load`.
        require_manifest: As for `load`.
        allow_ops: As for `load`.

    Raises:
        UnsafeArtefactError: A check fails.
        ValueError: An argument is out of range, or `path` is no export.
    """
    check_integer("max_bytes", max_bytes, 1)
    check_flag("require_manifest", require_manifest)
    path = Path(path)
    if not path.is_dir():
        fail("path", str(path), "a folder that an export function wrote", "Check the path.")
    if require_manifest or (path / MANIFEST).exists():
        check_manifest(path)
    contract = read_contract(path) if (path / CONTRACT).exists() else None
    kind = (contract or {}).get("format", "saved_model")
    file = path / FILES.get(kind, "saved_model.pb")
    if kind not in (*FILES, "saved_model") or not file.is_file():
        raise UnsafeArtefactError(f"{path} must hold {file.name}, as it is of format {kind!r}. Export again.")
    if kind == "keras":
        register(contract.get("modules"), path)
    declared = _declared(kind, file, max_bytes, allow_ops)
    if declared > max_bytes:
        raise UnsafeArtefactError(
            f"{path} must declare at most max_bytes={max_bytes:,} bytes of variables and constants. It declares "
            f"{declared:,}. Give a larger max_bytes if that is right."
        )
    if contract is not None:
        _check_versions(path, contract)
    return contract


def _declared(kind, file, max_bytes, allow_ops):
    """Check the file, and return the bytes that it declares."""
    if kind == "saved_model":
        return check_graph(file.parent, allow_ops)
    if kind == "keras":
        return check_keras_file(file, max_bytes, allow_ops)
    return {"onnx": check_onnx, "litert": check_litert, "openvino": check_openvino}[kind](file, allow_ops)


def _loaded(path, contract):
    functions = tf.saved_model.load(str(path)).signatures
    contract = contract or _contract_of(functions)

    def call(signature, inputs):
        outputs = functions[signature](**{name: tf.constant(value) for name, value in inputs.items()})
        return {name: tensor.numpy() for name, tensor in outputs.items()}

    return Artefact(path, contract, read_labels(path, contract), call)


def _loaded_portable(path, contract):
    try:
        function = load_portable(path)
    except ModuleNotFoundError as error:
        kind = contract["format"]
        raise ImportError(f"Loading {path} needs {error.name!r}: pip install 'unitools[{kind}]'") from error
    return Artefact(path, contract, read_labels(path, contract), lambda _, inputs: function(inputs))


def _check_versions(path: Path, contract: Mapping[str, Any]):
    """Refuse what a newer TensorFlow or Keras wrote: it may hold operations that mean something else here."""
    for name, here in (("tensorflow", tf.__version__), ("keras", keras.__version__)):
        wrote = contract.get(name)
        if isinstance(wrote, str) and _release(wrote) > _release(here):
            raise UnsafeArtefactError(
                f"{path} must be of {name} {here} or older. It was written by {wrote}. Install {name}>={wrote}, or "
                "export again here."
            )


def _release(version):
    parts = version.split(".")[:2]
    return tuple(int(part) if part.isdigit() else 0 for part in parts)


def _contract_of(functions):
    """Return what signature.json would say, of a SavedModel that has none."""
    signatures = {}
    for name, function in functions.items():
        inputs = {spec.name: spec for spec in function.structured_input_signature[1].values()}
        both = {"inputs": inputs, "outputs": function.structured_outputs}
        if any(spec.shape.rank is None for side in both.values() for spec in side.values()):
            raise UnsafeArtefactError(f"Signature {name} must have tensors of known rank. Export it with shapes.")
        signatures[name] = {side: {key: described(spec) for key, spec in specs.items()} for side, specs in both.items()}
    return {"keras": None, "tensorflow": None, "labels": None, "model_outputs": None, "signatures": signatures}
