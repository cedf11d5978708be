"""Run signatures of a SavedModel and hand their outputs back. As a script: with TensorFlow alone imported.

The script does not import unitools: it proves that an export needs nothing but TensorFlow.
"""

import json
import sys
from pathlib import Path

import tensorflow as tf


def call_export(path, calls):
    """Load the SavedModel at `path` and run `calls`.

    Args:
        path: Folder of a SavedModel.
        calls: List of (signature, {input name: tensor}).

    Returns:
        A list of {output name: tensor}.
    """
    signatures = tf.saved_model.load(str(path)).signatures
    return [signatures[name](**inputs) for name, inputs in calls]


def write_tensors(folder, groups):
    """Write a list of {name: tensor}: index.json and one serialized tensor a file."""
    index = []
    for group, tensors in enumerate(groups):
        entries = {}
        for place, (name, tensor) in enumerate(tensors.items()):
            file = f"{group}-{place}.tensor"
            tensor = tf.convert_to_tensor(tensor)
            (Path(folder) / file).write_bytes(tf.io.serialize_tensor(tensor).numpy())
            entries[name] = [file, tensor.dtype.name]
        index.append(entries)
    (Path(folder) / "index.json").write_text(json.dumps(index), encoding="utf-8")


def read_tensors(folder):
    """Read what `write_tensors` wrote."""
    index = json.loads((Path(folder) / "index.json").read_text(encoding="utf-8"))
    return [
        {name: tf.io.parse_tensor((Path(folder) / file).read_bytes(), dtype) for name, (file, dtype) in entries.items()}
        for entries in index
    ]


if __name__ == "__main__":
    export, inputs_folder, outputs_folder, *names = sys.argv[1:]
    write_tensors(outputs_folder, call_export(export, list(zip(names, read_tensors(inputs_folder), strict=True))))
