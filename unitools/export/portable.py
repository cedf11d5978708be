"""What exports of other formats than SavedModel have in common."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from unitools.core.checks import check_choice, check_flag, fail
from unitools.export.call_portable import SIGNATURE
from unitools.export.card_text import write_card
from unitools.export.contract import LABELS, described, write_contract
from unitools.export.conversion_error import ConversionError
from unitools.export.endpoints import array_endpoint, prepare
from unitools.export.labels import checked_labels, write_labels
from unitools.export.manifest import write_manifest
from unitools.export.model_card import check_card
from unitools.export.portable_function import PortableFunction
from unitools.export.portable_options import PortableOptions
from unitools.export.publish import publishing
from unitools.export.signatures import image_spec, input_specs, input_structure, output_names
from unitools.export.verification_report import VerificationReport
from unitools.export.verify import verify


def write_portable(
    model: keras.Model,
    path: str | Path,
    kind: str,
    convert: Callable[[PortableFunction, Path], None],
    options: PortableOptions,
    **more: Any,
) -> VerificationReport:
    """Convert, describe, verify and publish.

    Args:
        model: The model.
        path: Folder to write.
        kind: Name of the format.
        convert: Function that writes the file of the format into a folder.
        options: The caller's.
        **more: Further entries of signature.json.
    """
    check_choice("inputs", options.inputs, ("images", "arrays"))
    check_flag("overwrite", options.overwrite)
    check_card(options.card)
    input_structure(model)  # says first whether the model can be exported at all
    labels = checked_labels(model, options.labels)
    names = output_names(model, options.output_name or ("probabilities" if labels else None))
    endpoint = _endpoint(model, names, options)
    traced = endpoint.function.get_concrete_function()
    outputs = {name: described(tensor) for name, tensor in sorted(traced.structured_outputs.items())}
    inputs = {spec.name: described(spec) for spec in endpoint.specs}
    content = {"format": kind, "keras": keras.__version__, "tensorflow": tf.__version__}
    content |= {"labels": LABELS if labels else None, "model_outputs": names, "inputs": options.inputs}
    content |= {"signatures": {SIGNATURE: {"inputs": inputs, "outputs": outputs}}} | more
    with publishing(path, options.overwrite) as folder:
        convert(endpoint, folder)
        if labels is not None:
            write_labels(folder / LABELS, labels)
        write_contract(folder, content)
        checks = {"fresh_process": options.fresh_process, "tolerance": options.tolerance}
        report = verify(folder, model, options.examples, preprocess=options.preprocess, **checks)
        write_card(folder, options.card, model, report)
        write_manifest(folder)
    return VerificationReport(**{**vars(report), "path": str(path)})


def _endpoint(model, names, options):
    answer = array_endpoint(model, names, None)
    if options.inputs == "arrays":
        if options.preprocess is not None:
            fail("preprocess", options.preprocess, 'left out with inputs="arrays"', "Put it into the model.")
        return PortableFunction(model, *_traceable(answer, input_specs(model)))
    dtype = model.inputs[0].dtype

    def serve(images):
        return answer(tf.cast(prepare(options.preprocess, images), dtype))

    return PortableFunction(model, *_traceable(serve, [image_spec(model)]))


def _traceable(function, specs):
    return tf.function(function, input_signature=specs, autograph=False), specs


def converting(kind: str, convert: Callable[[], Any]) -> Any:
    """Return what `convert` does, its errors as `ConversionError`, its deprecation notes unsaid."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return convert()
        except Exception as error:
            raise ConversionError(
                f"The model must be of operations that {kind} has. Its converter said: {_tail(error)} Replace these "
                "layers, give recurrent ones unroll=True, build the model in float32, or use `saved_model`."
            ) from error


def _tail(error):
    text = str(error).strip() or repr(error)
    return text if len(text) < 1500 else f"{text[:700]} ... {text[-700:]}"
