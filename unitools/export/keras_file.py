"""A verified .keras file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from unitools.core.checks import fail
from unitools.export.call_portable import FILES
from unitools.export.checks.keras_file_check import IMPORTED, named_modules
from unitools.export.model_card import ModelCard
from unitools.export.portable import write_portable
from unitools.export.portable_options import PortableOptions
from unitools.export.signatures import input_structure
from unitools.export.verification_report import VerificationReport


def keras_file(
    model: keras.Model,
    path: str | Path,
    *,
    labels: Sequence[str] | None = None,
    examples: Any = None,
    output_name: str | None = None,
    card: ModelCard | None = None,
    overwrite: bool = False,
    fresh_process: bool = True,
    tolerance: tuple[float, float] | None = None,
) -> VerificationReport:
    """Write `model` as a .keras file, loaded again and compared with `predict` before it appears.

    Why: a file that Keras wrote may not load, or load as another model: an argument that `get_config` forgot comes
    back as its default, without a word. Use it to go on training; to serve, use `saved_model`.

    Args:
        model: A built model that knows its inputs, of free batch size. It takes and gives the arrays it always does.
        path: Folder to write; it holds `model.keras`.
        labels: Class names in the order of the outputs, written to `assets/labels.txt`.
        examples: What to verify on. Default: made noise.
        output_name: Name of a single output. Default: "probabilities" with labels, else the model's own.
        card: What README.md of the export says beside what the run tells.
        overwrite: Replace an existing folder. Default False.
        fresh_process: Verify in a process of its own, which imports Keras, and unitools or keras_hub where the model
            has layers of theirs. Default True. Layers of your own are known in this process only.
        tolerance: (rtol, atol) of the comparison. Default as for `verify`.

    Returns:
        The report of the verification.

    Raises:
        FileExistsError: `path` exists, and `overwrite` is False.
        ValueError: An argument does not fit the model.
        VerificationError: The file does not load, or answers differently from `predict`.

    Example:
    >>> import keras, tempfile, unitools as ut
    >>> model = keras.Sequential([keras.Input((4,), name="features"), keras.layers.Dense(2, name="logits")])
    >>> path = tempfile.mkdtemp() + "/keras"
    >>> report = ut.export.keras_file(model, path, fresh_process=False)
    >>> sorted(ut.export.load(path).signatures["serving_default"]["outputs"])
    ['logits']
    """
    input_structure(model)  # says first whether the model can be exported at all
    modules = named_modules(keras.saving.serialize_keras_object(model))
    unknown = sorted(one for one in modules if one.partition(".")[0] not in IMPORTED)
    if unknown and fresh_process:
        advice = "Give fresh_process=False, and import the module before `load`."
        fail("model", unknown, f"of layers of {sorted(IMPORTED)} where it is loaded in a fresh process", advice)

    def convert(endpoint, folder):
        endpoint.model.save(folder / FILES["keras"])

    options = PortableOptions("arrays", labels, examples, None, output_name, card, overwrite, fresh_process, tolerance)
    # Importing unitools alone registers nothing: its folders are imported when they are first used.
    imported = sorted(one for one in modules if one not in unknown and not one.startswith("keras."))
    return write_portable(model, path, "keras", convert, options, modules=imported)
