"""Run an export of another format than SavedModel with its own runtime. As a script: with that runtime alone imported.

The script does not import unitools or TensorFlow: it proves that the export needs nothing but its runtime and numpy.
"""

import importlib
import json
import os
import sys
import threading
from pathlib import Path

import numpy as np

FILES = {"onnx": "model.onnx", "litert": "model.tflite", "openvino": "model.xml", "keras": "model.keras"}
SIGNATURE = "serving_default"


def load(path, threads=None):
    """Return the function of an export, from {input name: array} to {output name: array}.

    Args:
        path: Folder with signature.json and the model's file.
        threads: Threads that the runtime may use. Default: as it likes.
    """
    contract = json.loads((Path(path) / "signature.json").read_text(encoding="utf-8"))
    runtime = contract["format"]
    loaders = {"onnx": _onnx, "litert": _litert, "openvino": _openvino, "keras": _keras}
    return loaders[runtime](str(Path(path) / FILES[runtime]), contract, threads)


def _onnx(file, contract, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(names, dict(inputs)), strict=True))


def _litert(file, contract, threads):
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(file, num_threads=threads).get_signature_runner(SIGNATURE)
    alone = threading.Lock()  # an interpreter holds the tensors of one call

    def call(inputs):
        with alone:
            return dict(runner(**inputs))

    return call


def _openvino(file, contract, threads):
    import openvino

    # Without it a CPU that has bfloat16 computes in it.
    options = {"INFERENCE_PRECISION_HINT": "f32"} | ({"INFERENCE_NUM_THREADS": threads} if threads else {})
    compiled = openvino.Core().compile_model(file, "CPU", options)

    own = threading.local()  # a request serves one call at a time

    def call(inputs):
        if not hasattr(own, "request"):
            own.request = compiled.create_infer_request()
        answers = own.request.infer(dict(inputs))
        return {output.any_name: np.array(answers[output]) for output in compiled.outputs}

    return call


def _keras(file, contract, threads):
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras

    for module in contract["modules"]:  # they register their layers
        importlib.import_module(module)
    model = keras.saving.load_model(file, compile=False, safe_mode=True)
    structure = model.inputs if isinstance(model, keras.Sequential) else model.input
    if isinstance(structure, (list, tuple)) and len(structure) == 1:
        structure = structure[0]
    names = list(contract["signatures"][SIGNATURE]["inputs"])

    def call(inputs):
        tensors = [keras.ops.convert_to_tensor(inputs[name]) for name in names]
        outputs = keras.tree.flatten(model(keras.tree.pack_sequence_as(structure, tensors), training=False))
        return {name: _plain(output) for name, output in zip(contract["model_outputs"], outputs, strict=True)}

    return call


def _plain(tensor):
    """Return an array; floats as float32, as every export gives them."""
    array = np.asarray(tensor)
    is_float = array.dtype.kind == "f" or array.dtype.name == "bfloat16"
    return array.astype(np.float32) if is_float else array


def call_portable(path, calls):
    """Load the export at `path` and run `calls`.

    Args:
        path: Its folder.
        calls: List of (signature, {input name: array}).

    Returns:
        A list of {output name: array}.
    """
    function = load(path)
    return [function({name: np.asarray(array) for name, array in inputs.items()}) for _, inputs in calls]


def write_tensors(folder, groups):
    """Write a list of {name: array}: index.json and one array a file."""
    index = []
    for group, arrays in enumerate(groups):
        entries = {}
        for place, (name, array) in enumerate(arrays.items()):
            entries[name] = f"{group}-{place}.npy"
            array = np.asarray(array)
            # Strings of any length need pickle; of one length they do not.
            np.save(Path(folder) / entries[name], array.astype("S") if array.dtype == object else array)
        index.append(entries)
    (Path(folder) / "index.json").write_text(json.dumps(index), encoding="utf-8")


def read_tensors(folder):
    """Read what `write_tensors` wrote."""
    index = json.loads((Path(folder) / "index.json").read_text(encoding="utf-8"))
    return [{name: _read(Path(folder) / file) for name, file in entries.items()} for entries in index]


def _read(file):
    array = np.load(file, allow_pickle=False)
    return array.astype(object) if array.dtype.kind == "S" else array


if __name__ == "__main__":
    export, inputs_folder, outputs_folder, *names_given = sys.argv[1:]
    given = list(zip(names_given, read_tensors(inputs_folder), strict=True))
    write_tensors(outputs_folder, call_portable(export, given))
