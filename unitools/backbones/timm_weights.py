"""The tensors of a timm file, handed to keras-hub's converter one by one, with a record of what was used."""

from pathlib import Path

from unitools.backbones.safetensors_format import open_safetensors
from unitools.backbones.weights_report import WeightsReport


class TimmWeights:
    """Stands in for keras-hub's loader while it converts a timm file, and keeps a record.

    keras-hub's own loader stops at the first tensor that is missing, with a text that does not name the file, and says
    nothing of tensors that are left over.

    Args:
        path: The `.safetensors` file.
        skip: Prefix of the tensors to leave out on purpose: the classifier. Defaults to None, skip none.
    """

    def __init__(self, path: Path, skip: str | None = None):
        self._path = Path(path)
        self._file = open_safetensors(self._path)
        self._names = tuple(self._file.keys())
        self._skip = f"{skip}." if skip else None
        self._values, self._missing, self._wrong, self._used = [], [], [], set()

    def port_weight(self, keras_variable, hf_weight_key, hook_fn=None):
        """Note the value for a variable. keras-hub's converters call this."""
        if hf_weight_key not in self._names:
            self._missing.append(hf_weight_key)
            return
        value = self.get_tensor(hf_weight_key)
        value = hook_fn(value, list(keras_variable.shape)) if hook_fn else value
        if tuple(value.shape) == tuple(keras_variable.shape):
            self._values.append((keras_variable, value))
        else:
            self._wrong.append((hf_weight_key, tuple(keras_variable.shape), tuple(value.shape)))

    def get_tensor(self, hf_weight_key):
        """Return a tensor of the file."""
        self._used.add(hf_weight_key)
        return self._file.get_tensor(hf_weight_key)

    def assign(self) -> None:
        """Set the variables that were noted."""
        for variable, value in self._values:
            variable.assign(value)

    def report(self) -> WeightsReport:
        """Return what was matched, missing, unexpected, of the wrong shape and skipped."""
        wrong = {name for name, _, _ in self._wrong}
        rest = [name for name in self._names if name not in self._used]
        skipped = tuple(name for name in rest if self._is_skipped(name))
        return WeightsReport(
            source=str(self._path),
            matched=tuple(sorted(self._used - wrong)),
            missing=tuple(self._missing),
            unexpected=tuple(name for name in rest if name not in skipped),
            wrong_shape=tuple(self._wrong),
            skipped=skipped,
        )

    def _is_skipped(self, name):
        # PyTorch counts the batches of each BatchNorm; Keras has no such weight.
        return name.endswith("num_batches_tracked") or (self._skip is not None and name.startswith(self._skip))
