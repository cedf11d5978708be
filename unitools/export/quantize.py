"""Smaller and faster exports, with what they cost."""

import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from unitools.core.checks import check_choice, fail
from unitools.export.artefact import Artefact
from unitools.export.conversion_error import ConversionError
from unitools.export.litert import litert
from unitools.export.manifest import check_manifest
from unitools.export.publish import publishing
from unitools.export.quantization_report import QuantizationReport
from unitools.export.quantized_variant import QuantizedVariant
from unitools.export.safe_load import load
from unitools.export.saved_model import saved_model
from unitools.export.verification_error import VerificationError

_CALLS, _SKIPPED = 50, 5
_NOT_THE_MODEL = ("README.md", "signature.json", "assets/labels.txt", "assets.extra/tf_serving_warmup_requests")
_IN_INTEGERS = (keras.layers.Dense, keras.layers.EinsumDense, keras.layers.Embedding)
_CONVOLUTIONS = (
    *(keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D),
    *(keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose),
    *(keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D),
    *(keras.layers.SeparableConv1D, keras.layers.SeparableConv2D),
)

Ask = Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]


def quantize(
    model: keras.Model,
    path: str | Path,
    inputs: str = "images",
    *,
    representative: Any,
    score: Callable[[Ask], float] | None = None,
    overwrite: bool = False,
    **options: Any,
) -> QuantizationReport:
    """Write `model` in floats and quantized, and measure size, time and score of each.

    Variants, each a folder below `path`: "float32" (a SavedModel where LiteRT has no form of the model), "float16" and
    "int8" for LiteRT; "keras_int8", a SavedModel whose dense layers and embeddings hold integers, by Keras' own
    `quantize`. Keras has none for convolutions, and LiteRT no form of some layers: what cannot be written, or answers
    otherwise, has a row with the reason. What quantization costs in score differs from network to network: measure it
    on data that were not used for the ranges.

    Args:
        model: A built model that knows its inputs, in float32. It stays as it is.
        path: Folder to write.
        inputs: "images" or "arrays", as for `litert`. Default "images".
        representative: A hundred or more real inputs, on which the ranges of activations are seen.
        score: Function that is given a function from {input name: array} to {output name: array}, and returns a number,
            the higher the better. Default None: no score.
        overwrite: Replace an existing folder. Default False.
        **options: Further arguments of `litert` and `saved_model`: `labels`, `preprocess`, `examples`, `output_name`,
            `fresh_process`.

    Returns:
        The table.

    Raises:
        FileExistsError: `path` exists, and `overwrite` is False.
        ImportError: The package of the extra `litert` is missing.
        ValueError: An argument does not fit the model.

    Example:
    >>> import keras, tempfile, numpy as np, unitools as ut
    >>> layers = [keras.Input((8,), name="x"), keras.layers.Dense(64, "relu"), keras.layers.Dense(2, name="y")]
    >>> rows = np.random.default_rng(0).normal(size=(100, 8)).astype("float32")
    >>> report = ut.export.quantize(
    ...     keras.Sequential(layers), tempfile.mkdtemp() + "/q", "arrays", representative=rows, fresh_process=False
    ... )
    >>> report["int8"].size < report["float32"].size
    True
    """
    check_choice("inputs", inputs, ("images", "arrays"))
    if representative is None:
        fail("representative", None, "real inputs", "Give a hundred or more of the training set.")

    def by_litert(folder, **more):
        litert(model, folder, inputs, **options | more)

    def by_tensorflow(net, folder):
        saved_model(net, folder, inputs, **options | {"warm_up": 0})

    def in_floats(folder):
        try:
            by_litert(folder)
        except ConversionError:
            by_tensorflow(model, folder)

    makers = {
        "float32": in_floats,
        "float16": lambda folder: by_litert(folder, quantization="float16"),
        "int8": lambda folder: by_litert(folder, quantization="int8", representative=representative),
        "keras_int8": lambda folder: by_tensorflow(_in_integers(model), folder),
    }
    with publishing(path, overwrite) as aside:
        rows = [_variant(name, make, aside / name, Path(path) / name, score) for name, make in makers.items()]
    return QuantizationReport(tuple(rows))


def _variant(name, make, folder, final, score):
    try:
        make(folder)
    except (ConversionError, VerificationError) as error:
        if name == "float32":
            raise
        return QuantizedVariant(name, reason=str(error).splitlines()[0][:160])
    artefact = load(folder)
    size = sum(count for file, count in check_manifest(folder).items() if file not in _NOT_THE_MODEL)
    found = None if score is None else float(score(artefact))
    return QuantizedVariant(name, str(final), size, _milliseconds(artefact), found)


def _milliseconds(artefact: Artefact):
    """Return the median time of a call with one made example."""
    specs = artefact.signatures["serving_default"]["inputs"]
    given = {name: np.ones([1, *(side or 8 for side in one["shape"][1:])], one["dtype"]) for name, one in specs.items()}
    seconds = []
    for _ in range(_CALLS + _SKIPPED):
        begin = time.perf_counter()
        artefact(given)
        seconds.append(time.perf_counter() - begin)
    return 1000 * statistics.median(seconds[_SKIPPED:])


def _in_integers(model):
    """Return a copy whose dense layers and embeddings hold int8.

    Raises:
        ConversionError: It has convolutions, which Keras would leave in floats without a word, or no such layer.
    """
    layers = list(model._flatten_layers(include_self=False))
    convolutions = [one.name for one in layers if isinstance(one, _CONVOLUTIONS)]
    if convolutions:
        raise ConversionError(f"Keras has no int8 for convolutions, such as {convolutions[0]}")
    if not any(isinstance(one, _IN_INTEGERS) for one in layers):
        raise ConversionError("Keras has int8 for dense layers and embeddings, and the model has none")
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Layer .* does not have a `quantize` method")  # and needs none
        copy.quantize("int8")
    return copy
