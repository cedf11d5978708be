"""Run an export where nothing but its runtime is imported."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from unitools.export import call_export, call_portable
from unitools.export.verification_error import VerificationError

_NAMES = {
    "saved_model": "TensorFlow",
    "onnx": "onnxruntime",
    "litert": "LiteRT",
    "openvino": "OpenVINO",
    "keras": "Keras and its packages",
}


def call_in_fresh_process(path, calls, runtime="saved_model"):
    """Run calls in a new Python process on the CPU.

    Why: an export that needs a custom class, or an operation of another package, loads here and fails where it is
    served. The CPU, because this process may hold all memory of a GPU.

    Args:
        path: Folder of the export.
        calls: List of (signature, {input name: tensor}).
        runtime: Format of the export.

    Returns:
        A list of {output name: tensor}.

    Raises:
        VerificationError: The process failed. The message ends with its last lines.
    """
    script = call_export if runtime == "saved_model" else call_portable
    with tempfile.TemporaryDirectory() as folder:
        given, returned = Path(folder, "given"), Path(folder, "returned")
        given.mkdir()
        returned.mkdir()
        script.write_tensors(given, [inputs for _, inputs in calls])
        # -P: the script's own folder must not lend its modules to TensorFlow.
        command = [sys.executable, "-P", script.__file__, str(path), str(given), str(returned)]
        environment = os.environ | {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        names = [name for name, _ in calls]
        done = subprocess.run(command + names, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise VerificationError(
                f"The export at {path} must run in a process that imports {_NAMES[runtime]} alone. It ended with code "
                f"{done.returncode}. Remove what needs another package from the model. Its last lines:\n"
                f"{done.stderr[-2000:]}"
            )
        return script.read_tensors(returned)
