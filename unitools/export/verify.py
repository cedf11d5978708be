"""Compare an export with its model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from unitools.core.checks import check_flag, fail
from unitools.export.call_export import call_export
from unitools.export.call_portable import call_portable
from unitools.export.compare import compare
from unitools.export.contract import CONTRACT, read_contract, read_labels
from unitools.export.endpoints import named_answers, prepare, with_channel
from unitools.export.examples import array_examples
from unitools.export.fresh_process import call_in_fresh_process
from unitools.export.raw_input import contract_input
from unitools.export.signatures import input_specs, input_structure
from unitools.export.verification_error import VerificationError
from unitools.export.verification_report import VerificationReport

TOLERANCES = {"float16": (1e-2, 5e-3), "bfloat16": (5e-2, 2e-2), "float64": (1e-4, 1e-5), "float32": (1e-4, 1e-5)}
"""(rtol, atol) by compute dtype: about ten units in the last place after a deep network; float outputs are float32."""
INT8_SHARE = 0.25
"""Of an output's largest value, by which int8 may differ: that finds what is broken, not what is inexact."""
BATCH = 64
"""Examples that the export and the model are given at a time."""


def verify(
    path: str | Path,
    model: keras.Model,
    examples: Any = None,
    *,
    preprocess: Callable | None = None,
    fresh_process: bool = True,
    tolerance: tuple[float, float] | None = None,
) -> VerificationReport:
    """Run every signature of an export and compare it with `model.predict`.

    Why: to see that what is served is what was trained, before publishing and after an upgrade. Compared are names,
    dtypes and values on all examples, in batches of 64, on the first batch again, which shows what is random, and on
    the first example alone.

    Args:
        path: Folder that `saved_model`, `onnx`, `litert`, `openvino` or `keras_file` wrote.
        model: The model it was written from.
        examples: As for `saved_model`. Default: seeded noise, and the report says so.
        preprocess: As for `saved_model`.
        fresh_process: Run the export in a process that imports its runtime alone, on the CPU. Default True.
        tolerance: (rtol, atol). Default (1e-4, 1e-5) for float32, (1e-2, 5e-3) for float16, (5e-2, 2e-2) for
            bfloat16, by the model's compute dtype and the export's weights; for int8 a quarter of the largest value.

    Returns:
        The report.

    Raises:
        ValueError: The folder has no signature.json, or the examples do not fit the model.
        VerificationError: A signature fails, or differs from `predict`.
    """
    check_flag("fresh_process", fresh_process)
    contract_file = Path(path, CONTRACT)
    if not contract_file.is_file():
        fail("path", str(path), "a folder that an export function wrote, with signature.json", "Check the path.")
    contract = read_contract(path)
    is_int8 = contract.get("quantization") == "int8" and tolerance is None
    rtol, atol = (0.0, INT8_SHARE) if is_int8 else tolerance or TOLERANCES[_coarsest_dtype(model, contract)]
    cases = _cases(Path(path), contract, model, examples, preprocess)
    parts = [(name, part, predicted) for name, given, answer in cases for part, predicted in _parts(given, answer)]
    kind = contract.get("format", "saved_model")
    served = _run(path, kind, [(name, part) for name, part, _ in parts], fresh_process)
    differences = {}
    for (name, _, predicted), answers in zip(parts, served, strict=True):
        scale = _largest(predicted) if is_int8 else 1.0
        differences[name] = max(differences.get(name, 0.0), compare(name, answers, predicted, rtol, atol * scale))
    count = len(next(iter(cases[0][1].values())))
    return VerificationReport(str(path), differences, count, examples is None, fresh_process, rtol, atol)


def _parts(given, answer):
    """Yield (inputs, what the model predicts for them, or for more): the first batch twice, the others, one example.

    Batches, since sizes that differ from text to text are padded to the longest of a batch. Twice at once, since a
    runtime may begin its random numbers again where the size changes.
    """
    batches = [
        {key: value[start : start + BATCH] for key, value in given.items()}
        for start in range(0, len(next(iter(given.values()))), BATCH)
    ]
    predictions = [answer(batch) for batch in batches]
    yield batches[0], predictions[0]
    yield from zip(batches, predictions, strict=True)
    yield {key: value[:1] for key, value in given.items()}, predictions[0]


def _coarsest_dtype(model, contract):
    dtypes = {layer.compute_dtype for layer in model._flatten_layers()} | {contract.get("quantization")}
    return next((dtype for dtype in ("bfloat16", "float16") if dtype in dtypes), "float32")


def _largest(outputs):
    floats = [np.abs(one) for one in outputs.values() if np.issubdtype(one.dtype, np.floating)]
    return float(max((one.max(initial=0.0) for one in floats), default=0.0))


def _run(path, kind, calls, fresh_process):
    if fresh_process:
        return call_in_fresh_process(path, calls, kind)
    try:
        if kind != "saved_model":
            return call_portable(path, calls)
        return call_export(path, [(name, {key: tf.constant(x) for key, x in given.items()}) for name, given in calls])
    except Exception as error:  # each runtime has its own
        raise VerificationError(
            f"The export at {path} must run on the examples, on one as on several. It failed: {error}. "
            "Give examples of the kind the model is for."
        ) from error


def _cases(path, contract, model, examples, preprocess):
    """Return (signature, inputs, function from inputs to expected outputs) for each signature."""
    signatures = contract["signatures"]
    # Other formats than SavedModel have no strings: their labels stand beside the model.
    labels = None if "format" in contract else read_labels(path, contract)

    def predict(inputs):
        outputs = model.predict(inputs, batch_size=BATCH, verbose=0)
        answers = named_answers(outputs, contract["model_outputs"], labels, contract.get("top_k"))
        return {key: x.numpy() for key, x in answers.items()}

    raw = contract_input(contract)
    if raw is None:
        structure = input_structure(model)
        arrays = array_examples(examples, structure, input_specs(model))

        def predict_arrays(given):
            # Keras takes strings as tensors, not as arrays of objects.
            tensors = [tf.constant(one) if one.dtype == object else one for one in given.values()]
            return predict(keras.tree.pack_sequence_as(structure, tensors))

        return [(n, dict(zip(s["inputs"], arrays, strict=True)), predict_arrays) for n, s in signatures.items()]
    arrays, encoded = raw.examples(examples)

    def predict_raw(given):
        encoded = given.get(raw.encoded_name)
        decoded = given[raw.array_name] if encoded is None else raw.decode(tf.constant(encoded))
        return predict(np.asarray(with_channel(prepare(preprocess, tf.convert_to_tensor(decoded)), model)))

    given = {raw.encoded_name: np.array(encoded, object), raw.array_name: arrays}
    return [(n, {key: given[key] for key in s["inputs"]}, predict_raw) for n, s in signatures.items()]
