"""Setting an encoder's weights from the tensors of a Transformers file."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import keras
import numpy as np

from unitools.backbones.encoder_config import EncoderConfig
from unitools.backbones.encoder_tensors import encoder_parts
from unitools.backbones.partial import compare, require_complete
from unitools.backbones.safetensors_format import open_safetensors
from unitools.backbones.weights_file_error import WeightsFileError
from unitools.backbones.weights_report import WeightsReport

# Models converted from TensorFlow keep its names for the two vectors of a norm.
_OLD_NAMES = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
# Constants that older versions of Transformers wrote too.
_CONSTANTS = ("embeddings.position_ids", "embeddings.token_type_ids")


def tensor_names(path: Path, kind: str) -> dict[str, str]:
    """Return the file's tensors: name without the model's prefix, and in today's spelling, to name in the file."""
    with open_safetensors(path) as file:
        return {_plain_name(name, kind): name for name in list(file.keys())}


def fill_from_file(
    model: keras.Model, config: EncoderConfig, path: Path, *, first: int = 0, allow_partial: bool = False
) -> WeightsReport:
    """Set the weights from a `.safetensors` file and return the report. Heads in the file are skipped.

    Args:
        model: The encoder.
        config: What it was built from.
        path: The file.
        first: Rows of the position table before the first position.
        allow_partial: Whether to load what matches if not everything does.
    """
    names = tensor_names(path, config.kind)
    with open_safetensors(path) as file:
        shapes = {plain: tuple(file.get_slice(name).get_shape()) for plain, name in names.items()}
        skipped = [plain for plain in names if not _is_encoders(plain) or plain in _CONSTANTS]
        parts = encoder_parts(model, config, first)
        return fill(parts, shapes, lambda plain: _read(file, names[plain], path), path, allow_partial, skipped)


def fill(parts, shapes: Mapping, read: Callable, source, allow_partial: bool, skipped=()) -> WeightsReport:
    """Set the variables of `parts` whose tensors all match, and return the report."""
    expected = {name: part.shape for part in parts for name in part.tensors}
    report = require_complete(compare(source, expected, shapes, skipped), allow_partial)
    matched = set(report.matched)
    # All values before the first assignment: a file that breaks off leaves the model as it was.
    values = [(part.variable, part.value(read)) for part in parts if matched.issuperset(part.tensors)]
    for variable, value in values:
        variable.assign(value)
    return report


def _plain_name(name, kind):
    plain = name.removeprefix(f"{kind}.")
    for old, new in _OLD_NAMES.items():
        plain = re.sub(rf"{re.escape(old)}$", new, plain)
    return plain


def _is_encoders(plain):
    return plain.startswith(("embeddings.", "embeddings_project.", "encoder.", "transformer.", "pooler."))


def _read(file, name, path):
    try:
        return np.asarray(file.get_tensor(name)).astype("float32")
    except TypeError as error:
        raise WeightsFileError(
            f"{path}: the tensor {name!r} cannot be read: {error}. Expected float32 or float16. Save the model in "
            "float32."
        ) from error
