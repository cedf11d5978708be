"""What `load` refuses, before anything runs; and what it takes."""

import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import unitools as ut
from unitools.export.manifest import check_manifest, write_manifest


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("written") / "1"
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")])
    ut.export.saved_model(model, path, "image_bytes", labels=["no", "yes"], fresh_process=False)
    return path, model


@pytest.fixture
def copy(written, tmp_path):
    shutil.copytree(written[0], tmp_path / "1")
    return tmp_path / "1"


def test_a_sound_export_answers_as_its_model(written):
    path, model = written
    artefact = ut.export.load(path)
    images = np.random.default_rng(0).uniform(0, 255, (3, 8, 8, 3)).astype(np.float32)
    answers = artefact({"images": images}, "serving_images")
    np.testing.assert_allclose(answers["probabilities"], model.predict(images, verbose=0), atol=1e-6)
    assert (artefact.kind, artefact.labels) == ("saved_model", ["no", "yes"])
    with pytest.raises(ValueError, match="signature"):
        artefact({"images": images}, "none")


def flip(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


FAULTS = {
    "changed": lambda folder: flip(folder / "saved_model.pb"),
    "cut short": lambda folder: (folder / "saved_model.pb").write_bytes(b""),
    "Missing: \\['assets/labels.txt'\\]": lambda folder: (folder / "assets" / "labels.txt").unlink(),
    "additional: \\['more'\\]": lambda folder: (folder / "more").write_text("x"),
    "must hold manifest.json": lambda folder: (folder / "manifest.json").unlink(),
    "must be JSON": lambda folder: (folder / "manifest.json").write_text("{"),
    "of format 1": lambda folder: (folder / "manifest.json").write_text('{"format": 2, "files": {}}'),
    "sha256 and bytes": lambda folder: (folder / "manifest.json").write_text('{"format": 1, "files": {"a": 1}}'),
    "leaves the folder": lambda folder: (folder / "manifest.json").write_text(
        '{"format": 1, "files": {"../a": {"sha256": "", "bytes": 1}}}'
    ),
    "is a link": lambda folder: (folder / "link").symlink_to("/etc/passwd"),
}


@pytest.mark.parametrize("reason", FAULTS)
def test_a_folder_that_is_not_what_its_manifest_says(copy, reason):
    FAULTS[reason](copy)
    with pytest.raises(ut.export.UnsafeArtefactError, match=reason):
        ut.export.load(copy)


def test_a_manifest_lists_every_file(copy):
    sizes = check_manifest(copy)
    assert {"saved_model.pb", "signature.json", "assets/labels.txt"} <= set(sizes)
    assert sizes["saved_model.pb"] == (copy / "saved_model.pb").stat().st_size


def save(path, function, specs):
    module = tf.Module()
    module.function = tf.function(function, input_signature=specs)
    tf.saved_model.save(module, str(path), signatures=module.function)
    return path


def test_operations_that_reach_files(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    spec = [tf.TensorSpec((), tf.string)]
    functions = {
        "ReadFile": lambda name: {"y": tf.io.read_file(name)},
        "WriteFile": lambda name: {"y": tf.identity(name)} if tf.io.write_file(name, "x") is None else {"y": name},
        "SaveV2": lambda name: (
            {"y": name}
            if tf.raw_ops.SaveV2(prefix=name, tensor_names=["a"], shape_and_slices=[""], tensors=[tf.constant(1)])
            else {}
        ),
        "RestoreV2": lambda name: {
            "y": tf.raw_ops.RestoreV2(prefix=name, tensor_names=["a"], shape_and_slices=[""], dtypes=[tf.float32])[0]
        },
        "EagerPyFunc": lambda name: {"y": tf.py_function(lambda x: x, [name], tf.string)},
    }
    for operation, function in functions.items():
        path = save(tmp_path / operation, function, spec)
        with pytest.raises(ut.export.UnsafeArtefactError, match=f"holds {operation} "):
            ut.export.load(path, require_manifest=False)
    artefact = ut.export.load(tmp_path / "ReadFile", require_manifest=False, allow_ops=("ReadFile",))
    name = next(iter(artefact.signatures["serving_default"]["inputs"]))
    assert artefact({name: np.array(str(secret))})["y"] == b"secret"


def test_an_attribute_does_not_hide_an_operation(tmp_path):
    """Attributes that begin with a line are free: one may name a function as the operation is named."""
    path = save(tmp_path / "1", lambda name: {"y": tf.io.read_file(name)}, [tf.TensorSpec((), tf.string)])
    saved = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    for function in saved.meta_graphs[0].graph_def.library.function:
        for node in function.node_def:
            if node.op == "ReadFile":
                node.attr["_x"].func.name = "ReadFile"
    (path / "saved_model.pb").write_bytes(saved.SerializeToString())
    with pytest.raises(ut.export.UnsafeArtefactError, match="holds ReadFile "):
        ut.export.load(path, require_manifest=False)


def test_declared_sizes(tmp_path, written):
    with pytest.raises(ut.export.UnsafeArtefactError, match="declare at most max_bytes=100 bytes"):
        ut.export.load(written[0], max_bytes=100)
    path = save(
        tmp_path / "1",
        lambda x: {"y": x + tf.constant(1.0, shape=(2**14, 2**14))[0, 0]},
        [tf.TensorSpec((), "float32")],
    )
    with pytest.raises(ut.export.UnsafeArtefactError, match="declare at most"):
        ut.export.load(path, require_manifest=False, max_bytes=2**20)


def test_what_a_newer_version_wrote(copy):
    contract = json.loads((copy / "signature.json").read_text())
    for name, version in (("tensorflow", "2.99.0"), ("keras", "4.0.0")):
        (copy / "signature.json").write_text(json.dumps(contract | {name: version}))
        write_manifest(copy)
        with pytest.raises(ut.export.UnsafeArtefactError, match=f"of {name} .* Install"):
            ut.export.load(copy)
    (copy / "signature.json").write_text(json.dumps(contract | {"tensorflow": "2.1.0"}))
    write_manifest(copy)
    assert ut.export.load(copy).labels == ["no", "yes"]


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"signatures": {"serving_default": {"inputs": 1}}}'])
def test_a_contract_that_says_nothing(copy, content):
    (copy / "signature.json").write_text(content)
    write_manifest(copy)
    with pytest.raises(ut.export.UnsafeArtefactError, match="signature.json"):
        ut.export.load(copy)
