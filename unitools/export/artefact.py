"""An export that was looked at, and loaded."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from unitools.core.checks import check_choice


class Artefact:
    """An export that can be called. `ut.export.load` makes it.

    Args:
        path: Its folder.
        contract: What its signature.json says.
        labels: Class names, or None.
        call: Function from (signature, {input: array}) to {output: array}.

    Attributes:
        kind: "saved_model", "onnx", "litert", "openvino" or "keras".

    Example:
    >>> import keras, tempfile, unitools as ut
    >>> layers = [keras.Input((4,), name="features"), keras.layers.Dense(2, "softmax")]
    >>> path = tempfile.mkdtemp() + "/1"
    >>> _ = ut.export.saved_model(keras.Sequential(layers), path, "arrays", labels=["no", "yes"], fresh_process=False)
    >>> artefact = ut.export.load(path)
    >>> artefact.labels, sorted(artefact.signatures)
    (['no', 'yes'], ['serving_arrays', 'serving_default'])
    >>> import numpy as np
    >>> artefact({"features": np.zeros((1, 4), np.float32)})["probabilities"].tolist()
    [[0.5, 0.5]]
    """

    def __init__(
        self,
        path: Path,
        contract: Mapping[str, Any],
        labels: list[str] | None,
        call: Callable[[str, Mapping[str, np.ndarray]], dict[str, np.ndarray]],
    ):
        self.path, self.contract, self.labels = path, contract, labels
        self.kind = contract.get("format", "saved_model")
        self._call = call

    @property
    def signatures(self) -> dict[str, Any]:
        """Inputs and outputs of each signature, with dtypes and shapes."""
        return self.contract["signatures"]

    def __call__(self, inputs: Mapping[str, np.ndarray], signature: str = "serving_default") -> dict[str, np.ndarray]:
        """Return the outputs by name.

        Args:
            inputs: Arrays by the name of the input.
            signature: Name of the signature. Default "serving_default".
        """
        check_choice("signature", signature, self.signatures)
        return self._call(signature, inputs)
