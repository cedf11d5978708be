"""A verified ONNX file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from unitools.core.checks import check_integer
from unitools.core.optional import require
from unitools.export.call_portable import FILES
from unitools.export.model_card import ModelCard
from unitools.export.portable import converting, write_portable
from unitools.export.portable_options import PortableOptions
from unitools.export.verification_report import VerificationReport

_OLDEST, _NEWEST = 13, 18


def onnx(
    model: keras.Model,
    path: str | Path,
    inputs: str = "images",
    *,
    opset: int = _NEWEST,
    labels: Sequence[str] | None = None,
    examples: Any = None,
    preprocess: Callable | None = None,
    output_name: str | None = None,
    card: ModelCard | None = None,
    overwrite: bool = False,
    fresh_process: bool = True,
    tolerance: tuple[float, float] | None = None,
) -> VerificationReport:
    """Write `model` as ONNX, run by onnxruntime and compared with `predict` before it appears.

    The folder holds `model.onnx` with the inputs and outputs that the report and `signature.json` name, of free batch
    size. Arguments that are not named here are those of `saved_model`; decoding of pictures and strings has no
    operation in ONNX, so "image_bytes" is not offered, and labels are only written beside the model.

    Args:
        model: A built model that knows its inputs, of free batch size.
        path: Folder to write.
        inputs: "images" or "arrays", as for `saved_model`. Default "images".
        opset: Version of ONNX' operations, 13 to 18. Default 18.
        labels: Class names in the order of the outputs, written to `assets/labels.txt`.
        examples: What to verify on. Default: made noise.
        preprocess: From raw images in [0, 255] to what the model takes; becomes part of the graph.
        output_name: Name of a single output. Default: "probabilities" with labels, else the model's own.
        card: What README.md of the export says beside what the run tells.
        overwrite: Replace an existing folder. Default False.
        fresh_process: Verify in a process that imports onnxruntime alone. Default True.
        tolerance: (rtol, atol) of the comparison. Default as for `verify`.

    Returns:
        The report of the verification.

    Raises:
        ConversionError: ONNX has no operation for a layer.
        FileExistsError: `path` exists, and `overwrite` is False.
        ImportError: The packages of the extra `onnx` are missing.
        ValueError: An argument does not fit the model.
        VerificationError: The export does not load, or answers differently from `predict`.

    Example:
    >>> import keras, tempfile, unitools as ut
    >>> model = keras.Sequential([keras.Input((4,), name="features"), keras.layers.Dense(2, name="logits")])
    >>> path = tempfile.mkdtemp() + "/onnx"
    >>> report = ut.export.onnx(model, path, "arrays", fresh_process=False)
    >>> sorted(ut.export.load(path).signatures["serving_default"]["outputs"])
    ['logits']
    """
    check_integer("opset", opset, _OLDEST, _NEWEST)
    require("onnxruntime", "onnx", "`ut.export.onnx`")
    require("tf2onnx", "onnx", "`ut.export.onnx`")

    def convert(endpoint, folder):
        endpoint.check_numeric("ONNX")
        converting("ONNX", lambda: _write(endpoint, opset, folder / FILES["onnx"]))

    options = PortableOptions(
        inputs, labels, examples, preprocess, output_name, card, overwrite, fresh_process, tolerance
    )
    return write_portable(model, path, "onnx", convert, options, opset=opset)


def _write(endpoint, opset, file):
    import onnx
    import tf2onnx

    tf2onnx.convert.from_function(
        endpoint.function,
        input_signature=endpoint.specs,
        opset=opset,
        custom_op_handlers={"Erfc": (_erfc, [])},
        output_path=str(file),
    )
    onnx.checker.check_model(str(file))  # an operation that the converter does not know is only logged


def _erfc(graph, node, name, arguments):
    """Put 1 - erf in place of erfc, which ONNX lacks and Keras' exact GELU is made of."""
    from tf2onnx import utils

    dtype = utils.map_onnx_to_numpy_type(graph.get_dtype(node.input[0]))
    one = graph.make_const(utils.make_name(f"{node.name}_one"), np.ones((), dtype))
    erf = graph.make_node("Erf", [node.input[0]])
    node.type, node.domain = "Sub", ""
    graph.replace_inputs(node, [one.output[0], erf.output[0]])
