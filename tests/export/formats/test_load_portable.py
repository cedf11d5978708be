"""What `load` refuses of other formats, before their runtime opens them."""

import json
import random
import resource
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import flatbuffers
import keras
import numpy as np
import onnx
import pytest
from tensorflow.lite.python import schema_py_generated as schema

import unitools as ut
from unitools.export.call_portable import FILES
from unitools.export.manifest import write_manifest

EXPORTS = {
    "onnx": ut.export.onnx,
    "litert": ut.export.litert,
    "openvino": ut.export.openvino,
    "keras": ut.export.keras_file,
}
REFUSED = ut.export.UnsafeArtefactError


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    keras.utils.set_random_seed(0)
    layers = [keras.Input((4,), name="x"), keras.layers.Dense(8, "relu"), keras.layers.Dense(2)]
    model, folder = keras.Sequential(layers), tmp_path_factory.mktemp("portable")
    for name, export in EXPORTS.items():
        export(model, folder / name, **({} if name == "keras" else {"inputs": "arrays"}), fresh_process=False)
    return folder


@pytest.fixture
def copy(written, tmp_path):
    """A function that gives a copy of a format's folder."""

    def give(name):
        shutil.copytree(written / name, tmp_path / name)
        return tmp_path / name

    return give


def refused(folder, match, **options):
    """The manifest is written anew: an attacker can do so too."""
    (folder / "manifest.json").unlink()
    write_manifest(folder)
    with pytest.raises(REFUSED, match=match):
        ut.export.load(folder, **options)


@pytest.mark.parametrize("name", EXPORTS)
def test_sizes_manifest_and_version(name, copy):
    folder = copy(name)
    with pytest.raises(REFUSED, match="max_bytes=10"):
        ut.export.load(folder, max_bytes=10)
    content = json.loads((folder / "signature.json").read_text())
    (folder / "signature.json").write_text(json.dumps(content | {"keras": "99.0"}))
    with pytest.raises(REFUSED, match="was changed"):
        ut.export.load(folder)
    refused(folder, "written by 99.0")
    (folder / "signature.json").write_text(json.dumps(content | {"format": "pickle"}))
    refused(folder, "format 'pickle'")
    (folder / "signature.json").write_text(json.dumps(content))
    (folder / FILES[name]).unlink()
    refused(folder, f"must hold {FILES[name]}")


@pytest.mark.parametrize("name", EXPORTS)
def test_flipped_bytes_never_end_the_process(name, copy):
    """A file with bytes flipped is refused, or is still a file of that format that our checks read to the end."""
    folder = copy(name)
    file, pick = folder / FILES[name], random.Random(0)
    sound, refusals = file.read_bytes(), 0
    check = {
        "onnx": ut.export.safe_load.check_onnx,
        "litert": ut.export.safe_load.check_litert,
        "openvino": ut.export.safe_load.check_openvino,
        "keras": lambda path: ut.export.safe_load.check_keras_file(path, 10**9),
    }[name]
    for _ in range(60):
        changed = bytearray(sound)
        for _ in range(4):
            changed[pick.randrange(len(changed))] ^= 1 << pick.randrange(8)
        file.write_bytes(changed)
        try:
            assert check(file) >= 0
        except REFUSED:
            refusals += 1
    for cut in (0, 1, 7, len(sound) // 2):
        file.write_bytes(sound[:cut])
        try:
            check(file)
        except REFUSED:
            refusals += 1
    assert refusals


def test_onnx_outside_and_strange(copy):
    folder = copy("onnx")
    file = folder / "model.onnx"
    model = onnx.load(file)
    model.graph.node[0].domain = "com.attacker"
    onnx.save(model, file)
    refused(folder, "com.attacker")
    model.graph.node[0].domain = ""
    outside = model.graph.initializer[0]
    outside.ClearField("raw_data")
    outside.data_location = onnx.TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="../../etc/passwd")
    file.write_bytes(model.SerializeToString())
    refused(folder, "lies in another file")


def test_onnx_declares_more_than_it_holds(copy):
    folder = copy("onnx")
    model = onnx.load(folder / "model.onnx")
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend([2**20, 2**20])
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    refused(folder, "declares 4,398,0")


def test_an_operation_in_an_inner_graph(copy):
    folder = copy("onnx")
    helper = onnx.helper
    inner = helper.make_graph([helper.make_node("Evil", [], ["y"], domain="bad")], "inner", [], [])
    branch = helper.make_node("If", ["c"], ["z"], then_branch=inner, else_branch=inner)
    model = onnx.load(folder / "model.onnx")
    model.graph.node.append(branch)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    refused(folder, "bad.Evil")


def test_openvino_outside_and_strange(copy):
    folder = copy("openvino")
    file = folder / "model.xml"
    sound = file.read_text()
    root = ElementTree.fromstring(sound)
    first = next(layer for layer in root.iter("layer") if layer.get("type") == "Const")
    first.find("data").set("size", str(10**12))
    file.write_text(ElementTree.tostring(root, "unicode"))
    refused(folder, "A constant leaves it")
    first.find("data").set("size", "-1")
    file.write_text(ElementTree.tostring(root, "unicode"))
    refused(folder, "A constant leaves it")
    file.write_text(sound.replace('version="opset1"', 'version="extension"', 1))
    refused(folder, "of extension")
    file.write_text('<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "b">]>' + sound.partition("?>")[2])
    refused(folder, "entities")
    file.write_text("<net")
    refused(folder, "cannot be read")


def test_litert_custom_operation(copy):
    folder = copy("litert")
    file = folder / "model.tflite"
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(file.read_bytes(), 0))
    model.operatorCodes[0].customCode = "FlexReadFile"
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    file.write_bytes(bytes(builder.Output()))
    refused(folder, "custom operation FlexReadFile")
    file.write_bytes(b"no file of LiteRT at all")
    refused(folder, "begins with TFL3")


def rewrite(file, change):
    """Change config.json inside a .keras file."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def replaced(old, new):
    def change(members):
        text = members["config.json"].decode()
        assert old in text
        members["config.json"] = text.replace(old, new).encode()

    return change


def test_a_small_keras_file_that_asks_for_all_memory(copy):
    """The declaration of TRAPS 19: Dense(3e8) in a file of some kilobytes; nothing of it is made."""
    folder = copy("keras")
    rewrite(folder / "model.keras", replaced('"units": 2,', '"units": 3000000000,'))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with keras.StatelessScope():
        pass  # Keras has its list of variables to make from here on
    for _ in range(2):
        refused(folder, "declares 108,000,000,")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB
    # Nor is it made later, when Keras ends its next scope.
    keras.Sequential([keras.Input((2,)), keras.layers.Dropout(0.1)]).compute_output_spec(keras.KerasTensor((1, 2)))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_keras_file_with_code_or_strange_members(copy):
    folder = copy("keras")
    file = folder / "model.keras"
    sound = file.read_bytes()
    for change, match in (
        (replaced('"class_name": "Dense"', '"class_name": "Lambda"'), "Python code"),
        (replaced('"module": "keras.layers"', '"module": "os"'), "of os"),
        (replaced('"config": {', '"config": [{'), "cannot be read"),
        (lambda members: members.update({"../evil": b"x"}), "evil"),
        (lambda members: members.update({"assets/../../evil": b"x"}), "evil"),
        (lambda members: members.pop("config.json"), "cannot be read"),
    ):
        file.write_bytes(sound)
        rewrite(file, change)
        refused(folder, match)
    file.write_bytes(b"PK no zip")
    refused(folder, "cannot be read")
    file.write_bytes(sound)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/bomb", bytes(10**7))
    refused(folder, "unpack to at most", max_bytes=10**6)


def test_modules_that_are_none_of_ours(copy):
    folder = copy("keras")
    content = json.loads((folder / "signature.json").read_text())
    for modules in (["antigravity"], "unitools", None, ["unitools.__main__"], ["unitools.cli;x"], [3]):
        (folder / "signature.json").write_text(json.dumps(content | {"modules": modules}))
        refused(folder, "must import modules")
    (folder / "signature.json").write_text(json.dumps(content | {"modules": ["unitools.nothing"]}))
    refused(folder, "modules that there are")


@pytest.mark.parametrize("name", EXPORTS)
def test_threads_ask_at_once(name, written):
    artefact = ut.export.load(written / name)
    rows = [np.random.default_rng(seed).normal(size=(1 + seed % 3, 4)).astype("float32") for seed in range(40)]
    (output,) = artefact.signatures["serving_default"]["outputs"]
    alone = [artefact({"x": one})[output] for one in rows]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda one: artefact({"x": one})[output], rows))
    for first, second in zip(alone, together, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)
