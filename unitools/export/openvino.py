"""A verified OpenVINO model."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

from unitools.core.checks import check_choice
from unitools.core.optional import require
from unitools.export.call_portable import FILES
from unitools.export.model_card import ModelCard
from unitools.export.portable import converting, write_portable
from unitools.export.portable_options import PortableOptions
from unitools.export.verification_report import VerificationReport


def openvino(
    model: keras.Model,
    path: str | Path,
    inputs: str = "images",
    *,
    quantization: str | None = None,
    labels: Sequence[str] | None = None,
    examples: Any = None,
    preprocess: Callable | None = None,
    output_name: str | None = None,
    card: ModelCard | None = None,
    overwrite: bool = False,
    fresh_process: bool = True,
    tolerance: tuple[float, float] | None = None,
) -> VerificationReport:
    """Write `model` for OpenVINO, run by its CPU plugin and compared with `predict` before it appears.

    The folder holds `model.xml` and `model.bin`, of free batch size. On processors with bfloat16 the runtime computes
    in it unless told `INFERENCE_PRECISION_HINT: f32`, as the comparison and `load` tell it.

    Args:
        model: A built model that knows its inputs, of free batch size.
        path: Folder to write.
        inputs: "images" or "arrays", as for `saved_model`. Default "images".
        quantization: None, or "float16" for weights of half the size. Default None.
        labels: Class names in the order of the outputs, written to `assets/labels.txt`.
        examples: What to verify on. Default: made noise.
        preprocess: From raw images in [0, 255] to what the model takes; becomes part of the graph.
        output_name: Name of a single output. Default: "probabilities" with labels, else the model's own.
        card: What README.md of the export says beside what the run tells.
        overwrite: Replace an existing folder. Default False.
        fresh_process: Verify in a process that imports OpenVINO alone. Default True.
        tolerance: (rtol, atol) of the comparison. Default as for `verify`.

    Returns:
        The report of the verification.

    Raises:
        ConversionError: OpenVINO has no operation for a layer.
        FileExistsError: `path` exists, and `overwrite` is False.
        ImportError: The package of the extra `openvino` is missing.
        ValueError: An argument does not fit the model.
        VerificationError: The export does not load, or answers differently from `predict`.

    Example:
    >>> import keras, tempfile, unitools as ut
    >>> model = keras.Sequential([keras.Input((4,), name="features"), keras.layers.Dense(2, name="logits")])
    >>> path = tempfile.mkdtemp() + "/openvino"
    >>> report = ut.export.openvino(model, path, "arrays", fresh_process=False)
    >>> sorted(ut.export.load(path).signatures["serving_default"]["outputs"])
    ['logits']
    """
    check_choice("quantization", quantization, (None, "float16"))
    require("openvino", "openvino", "`ut.export.openvino`")

    def convert(endpoint, folder):
        endpoint.check_numeric("OpenVINO")
        write = lambda saved: _write(saved, quantization == "float16", folder / FILES["openvino"])  # noqa: E731
        converting("OpenVINO", lambda: endpoint.with_saved_model(write))

    options = PortableOptions(
        inputs, labels, examples, preprocess, output_name, card, overwrite, fresh_process, tolerance
    )
    return write_portable(model, path, "openvino", convert, options, quantization=quantization)


def _write(saved, half, file):
    import openvino

    openvino.save_model(openvino.convert_model(saved), str(file), compress_to_fp16=half)
