"""A verified LiteRT (TensorFlow Lite) file, of floats or quantized after training."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from unitools.core.checks import check_choice, fail
from unitools.core.optional import require
from unitools.export.call_portable import FILES
from unitools.export.examples import array_examples
from unitools.export.model_card import ModelCard
from unitools.export.portable import converting, write_portable
from unitools.export.portable_options import PortableOptions
from unitools.export.raw_images import RawImages
from unitools.export.signatures import input_structure
from unitools.export.verification_report import VerificationReport


def litert(
    model: keras.Model,
    path: str | Path,
    inputs: str = "images",
    *,
    quantization: str | None = None,
    representative: Any = None,
    labels: Sequence[str] | None = None,
    examples: Any = None,
    preprocess: Callable | None = None,
    output_name: str | None = None,
    card: ModelCard | None = None,
    overwrite: bool = False,
    fresh_process: bool = True,
    tolerance: tuple[float, float] | None = None,
) -> VerificationReport:
    """Write `model` for LiteRT, run by its interpreter and compared with `predict` before it appears.

    Why quantize: "float16" halves the file and computes in float32; "int8" quarters it and computes in integers, which
    is faster on most processors. Weights are scaled by channel, activations by the ranges seen on `representative`;
    an operation that has no integer form stays in float. Inputs and outputs stay float32.

    Args:
        model: A built model that knows its inputs, of free batch size, in float32.
        path: Folder to write; it holds `model.tflite`.
        inputs: "images" or "arrays", as for `saved_model`. Default "images".
        quantization: None, "float16" or "int8". Default None.
        representative: For "int8": one hundred or more real inputs in the form of `examples`, not the ones that the
            score is taken on.
        labels: Class names in the order of the outputs, written to `assets/labels.txt`.
        examples: What to verify on. Default: made noise; for "int8" the first representative inputs.
        preprocess: From raw images in [0, 255] to what the model takes; becomes part of the graph.
        output_name: Name of a single output. Default: "probabilities" with labels, else the model's own.
        card: What README.md of the export says beside what the run tells.
        overwrite: Replace an existing folder. Default False.
        fresh_process: Verify in a process that imports LiteRT alone. Default True.
        tolerance: (rtol, atol) of the comparison. Default as for `verify`; "int8" may differ by a quarter of an
            output's largest value, which finds what is broken and not what is inexact: measure the score.

    Returns:
        The report of the verification.

    Raises:
        ConversionError: LiteRT has no operation for a layer.
        FileExistsError: `path` exists, and `overwrite` is False.
        ImportError: The package of the extra `litert` is missing.
        ValueError: An argument does not fit the model, or "int8" has no representative inputs.
        VerificationError: The export does not load, or answers differently from `predict`.

    Example:
    >>> import keras, tempfile, numpy as np, unitools as ut
    >>> model = keras.Sequential([keras.Input((4,), name="features"), keras.layers.Dense(2, name="logits")])
    >>> path, rows = tempfile.mkdtemp() + "/litert", np.random.default_rng(0).normal(size=(100, 4))
    >>> report = ut.export.litert(
    ...     model, path, "arrays", quantization="int8", representative=rows, fresh_process=False
    ... )
    >>> ut.export.load(path)({"features": rows[:3].astype("float32")})["logits"].shape
    (3, 2)
    """
    check_choice("quantization", quantization, (None, "float16", "int8"))
    if (quantization == "int8") != (representative is not None):
        wanted = 'inputs to see ranges on with quantization="int8", and None without'
        fail("representative", type(representative).__name__, wanted, "Give a hundred or more of the training set.")
    require("ai_edge_litert", "litert", "`ut.export.litert`")
    if examples is None and representative is not None:
        examples = keras.tree.map_structure(lambda array: array[:64], representative)

    def convert(endpoint, folder):
        endpoint.check_numeric("LiteRT")
        rows = _rows(representative, endpoint, inputs) if quantization == "int8" else None
        content = converting("LiteRT", lambda: endpoint.with_saved_model(lambda x: _converted(x, quantization, rows)))
        (folder / FILES["litert"]).write_bytes(content)

    options = PortableOptions(
        inputs, labels, examples, preprocess, output_name, card, overwrite, fresh_process, tolerance
    )
    return write_portable(model, path, "litert", convert, options, quantization=quantization)


def _converted(saved, quantization, rows):
    converter = tf.lite.TFLiteConverter.from_saved_model(saved, signature_keys=["serving_default"])
    if quantization is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantization == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if quantization == "int8":
        converter.representative_dataset = lambda: iter(rows)
        operations = tf.lite.OpsSet
        converter.target_spec.supported_ops = [operations.TFLITE_BUILTINS_INT8, operations.TFLITE_BUILTINS]
    return converter.convert()


def _rows(representative, endpoint, inputs):
    """Return one {input: array of one row} for each representative input."""
    if inputs == "images":
        arrays = [RawImages(endpoint.specs[0]).examples(representative)[0]]
    else:
        arrays = array_examples(representative, input_structure(endpoint.model), endpoint.specs)
    names = [spec.name for spec in endpoint.specs]
    return [
        {name: array[place : place + 1] for name, array in zip(names, arrays, strict=True)}
        for place in range(len(arrays[0]))
    ]
