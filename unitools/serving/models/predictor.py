"""One export, loaded, that answers for checked inputs."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from unitools.export import load
from unitools.serving.models.arrays import checked_array
from unitools.serving.models.tensor import Tensor, tensors
from unitools.serving.request_error import RequestError, refuse

_GRAPH_NOTES = re.compile(r"\{\{[^}]*\}\}|\[\[[^\]]*\]\]|\[Op:[^\]]*\]|^.*Graph execution error:\s*", re.DOTALL)
_TRACE_LINES = ("Detected at", "File ", "<stack traces unavailable>")
DEFAULT_SIGNATURE = "serving_default"


class Predictor:
    """Answers for one export in this process, with the checks of the server and without its ports.

    Why: a notebook, a batch job or a test asks the export as production does, and gets production's errors.

    Args:
        path: Folder of a SavedModel that `ut.export.saved_model` wrote.
        require_manifest: Refuse a folder without manifest.json. Default True. False takes SavedModels of others,
            whose operations are checked all the same.

    Attributes:
        labels: Class names, or None.

    Raises:
        ValueError: `ut.export.load` refuses the folder.

    Example:
    >>> import keras, tempfile, unitools as ut
    >>> layers = [keras.Input((4,), name="features"), keras.layers.Dense(2, "softmax")]
    >>> path = tempfile.mkdtemp() + "/1"
    >>> _ = ut.export.saved_model(keras.Sequential(layers), path, "arrays", labels=["no", "yes"], fresh_process=False)
    >>> predictor = ut.serving.Predictor(path)
    >>> predictor.predict({"features": [[0.0, 0.0, 0.0, 0.0]]})["probabilities"].tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, path: str | Path, *, require_manifest: bool = True):
        self.path = Path(path)
        self._artefact = load(self.path, require_manifest=require_manifest)
        self._contract, self.labels = self._artefact.contract, self._artefact.labels
        self._specs = {
            name: (tensors(one["inputs"]), tensors(one["outputs"]))
            for name, one in self._contract["signatures"].items()
        }

    @property
    def contract(self) -> dict[str, Any]:
        """What signature.json says."""
        return self._contract

    @property
    def signatures(self) -> tuple[str, ...]:
        """Names of the signatures."""
        return tuple(self._specs)

    def inputs(self, signature: str | None = None) -> dict[str, Tensor]:
        """Return what a signature takes, by name.

        Args:
            signature: Its name. Default None: `serving_default`.
        """
        return self._spec(signature)[0]

    def outputs(self, signature: str | None = None) -> dict[str, Tensor]:
        """Return what a signature gives, by name.

        Args:
            signature: Its name. Default None: `serving_default`.
        """
        return self._spec(signature)[1]

    def check(self, inputs: Mapping[str, Any], signature: str | None = None) -> dict[str, np.ndarray]:
        """Return the inputs as arrays that fit the signature.

        Args:
            inputs: Arrays or nested lists by the name of the input.
            signature: Name of the signature. Default None: `serving_default`.

        Raises:
            RequestError: 404 for an unknown signature, 400 for what does not fit it.
        """
        specs = self.inputs(signature)
        if set(inputs) != set(specs):
            refuse("inputs", sorted(map(str, inputs)), f"exactly {sorted(specs)}", "Look at the model's metadata.")
        return {name: checked_array(spec, inputs[name]) for name, spec in specs.items()}

    def run(self, arrays: Mapping[str, np.ndarray], signature: str | None = None) -> dict[str, np.ndarray]:
        """Return the outputs for arrays that `check` gave.

        Args:
            arrays: Arrays by the name of the input.
            signature: Name of the signature. Default None: `serving_default`.

        Raises:
            RequestError: 400: the model cannot read an input, such as bytes that are no picture.
        """
        try:
            return self._artefact(arrays, signature or DEFAULT_SIGNATURE)
        except tf.errors.InvalidArgumentError as error:
            raise RequestError(400, f"The model cannot read this input: {_reason(error)}") from error

    def predict(self, inputs: Mapping[str, Any], signature: str | None = None) -> dict[str, np.ndarray]:
        """Return the outputs by name.

        Args:
            inputs: Arrays or nested lists by the name of the input.
            signature: Name of the signature. Default None: `serving_default`.

        Raises:
            RequestError: As of `check` and `run`.
        """
        return self.run(self.check(inputs, signature), signature)

    def _spec(self, signature):
        name = DEFAULT_SIGNATURE if signature is None else signature
        if name not in self._specs:
            raise RequestError(404, f"The model has no signature {name!r}. It has {sorted(self._specs)}.")
        return self._specs[name]


def _reason(error):
    """Return the first line of what TensorFlow says, without the names of its nodes."""
    lines = _GRAPH_NOTES.sub("", error.message).strip().splitlines()
    said = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith(_TRACE_LINES)]
    return (said or ["it does not fit"])[0][:300]
