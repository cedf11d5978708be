"""Open an export for serving."""

import json
from pathlib import Path

import tensorflow as tf

from unitools.core.checks import fail
from unitools.export.manifest import check_manifest

CONTRACT = "signature.json"


def load_export(path: Path, require_manifest: bool):
    """Return ({signature: function}, contract, labels) of a SavedModel."""
    if not (path / "saved_model.pb").is_file():
        fail("path", str(path), "a folder with saved_model.pb", "Write one by ut.export.saved_model.")
    if require_manifest:
        check_manifest(path)
    functions = tf.saved_model.load(str(path)).signatures
    file = path / CONTRACT
    contract = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else contract_of(functions)
    labels = contract.get("labels")
    names = (path / labels).read_text(encoding="utf-8").splitlines() if labels else None
    return dict(functions.items()), contract, names


def contract_of(functions):
    """Return what signature.json would say, of a SavedModel that has none."""
    signatures = {}
    for name, function in functions.items():
        inputs = {spec.name: spec for spec in function.structured_input_signature[1].values()}
        signatures[name] = {
            "inputs": {key: _described(spec) for key, spec in inputs.items()},
            "outputs": {key: _described(spec) for key, spec in function.structured_outputs.items()},
        }
    return {"keras": None, "tensorflow": None, "labels": None, "model_outputs": None, "signatures": signatures}


def _described(spec):
    if spec.shape.rank is None:
        fail("signature", spec.name, "of known rank", "Export it with shapes.")
    return {"dtype": spec.dtype.name, "shape": spec.shape.as_list()}
