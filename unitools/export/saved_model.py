"""A verified SavedModel."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from unitools.core.checks import check_choice, check_flag, check_integer, fail
from unitools.export.card_text import write_card
from unitools.export.contract import LABELS, described, write_contract
from unitools.export.endpoints import array_endpoint, raw_endpoint
from unitools.export.labels import checked_labels, write_labels
from unitools.export.manifest import write_manifest
from unitools.export.model_card import ModelCard, check_card
from unitools.export.publish import publishing
from unitools.export.raw_input import CHOICES, raw_input
from unitools.export.raw_waveforms import RawWaveforms
from unitools.export.signatures import input_specs, input_structure, output_names
from unitools.export.verification_report import VerificationReport
from unitools.export.verify import verify
from unitools.export.warm_up_requests import MAX_ROWS, write_warm_up


def saved_model(
    model: keras.Model,
    path: str | Path,
    inputs: str = "images",
    *,
    labels: Sequence[str] | None = None,
    top_k: int | None = None,
    examples: Any = None,
    preprocess: Callable | None = None,
    image_size: tuple[int, int] | None = None,
    sample_rate_hz: int | None = None,
    num_samples: int | None = None,
    output_name: str | None = None,
    warm_up: int = 4,
    card: ModelCard | None = None,
    overwrite: bool = False,
    fresh_process: bool = True,
    tolerance: tuple[float, float] | None = None,
) -> VerificationReport:
    """Write `model` as a SavedModel with named inputs and outputs, verified before it appears.

    Why: an export that was never run may stay random, return float16, name its input `keras_tensor_21`, or not load
    where it is served. This one is loaded again and compared with `predict` under a temporary name; only then is it
    renamed to `path`. On any error nothing remains.

    Signatures: "images" gives `serving_default` and `serving_images`, both `images` float32
    `(batch, height, width, channels)` in [0, 255] at the model's input size, not resized. "image_bytes" makes
    `serving_default` and `serving_bytes` take `image_bytes`, strings `(batch,)`, decoded and resized as
    `images_from_bytes` does; `serving_images` stays. "waveforms" and "audio_bytes" are the like of float32
    `(batch, samples)` in [-1, 1] and WAV files: `serving_waveforms` and `serving_bytes`, decoded as
    `waveforms_from_bytes` does. "arrays" gives `serving_default` and `serving_arrays` with one
    input for each of the model's, of any dtype.
    Outputs: floats as float32. With labels also `label` and `score` `(batch,)`, of the most probable class; with
    `top_k` besides `labels` and `scores` `(batch, top_k)`, the most probable first.

    Args:
        model: A built model that knows its inputs, of free batch size.
        path: Folder to write. TensorFlow Serving wants its last part to be a number.
        inputs: "images", "image_bytes", "waveforms", "audio_bytes" or "arrays". Default "images".
        labels: Class names in the order of the outputs; two for one sigmoid unit. Written to `assets/labels.txt`.
        top_k: How many labels and scores to give, from 1 to the number of labels. Default None: the best alone.
        examples: What to verify on: arrays of raw inputs, or encoded files (bytes) or paths. Default: made noise.
        preprocess: Layer or function from raw images or waveforms to what the model takes, such as
            `backbone.preprocess` or `keras.layers.Rescaling(1 / 255)`. Default: the model takes raw input.
        image_size: (height, width) for "image_bytes", where the model takes any size.
        sample_rate_hz: Samples a second of what the model hears. Needed for "waveforms" and "audio_bytes".
        num_samples: Length for "audio_bytes", where the model takes any, or has `preprocess`.
        output_name: Name of a single output. Default "probabilities"; for "arrays" without labels, the model's own.
        warm_up: Rows of the largest recorded request, one of 1 row and one of so many a signature. They are the first
            examples, and lie in the export for all who get it. Default 4. 0 writes none.
        card: What README.md says beside what the run tells. Default: nothing is stated.
        overwrite: Replace an existing folder. Default False.
        fresh_process: Verify in a process that imports TensorFlow alone (about 6 s). Default True.
        tolerance: (rtol, atol) of the comparison. Default by the compute dtype, see `verify`.

    Returns:
        The report of the verification.

    Raises:
        ValueError: An argument does not fit the model, or an output called `probabilities` leaves [0, 1].
        FileExistsError: `path` exists, and `overwrite` is False.
        OSError: The disk is full. Nothing is left, and an older export at `path` stays.
        VerificationError: The export does not load, or answers differently from `predict`.

    Example:
    >>> import keras, tempfile, tensorflow as tf, unitools as ut
    >>> layers = [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")]
    >>> path = tempfile.mkdtemp() + "/1"
    >>> report = ut.export.saved_model(keras.Sequential(layers), path, labels=["no", "yes"], fresh_process=False)
    >>> sorted(tf.saved_model.load(path).signatures["serving_default"](images=tf.zeros((1, 8, 8, 3))))
    ['label', 'probabilities', 'score']
    """
    check_choice("inputs", inputs, CHOICES)
    check_flag("overwrite", overwrite)
    _check_additions(warm_up, card)
    input_structure(model)  # says first whether the model can be exported at all
    raw = raw_input(model, inputs, preprocess, image_size, sample_rate_hz, num_samples)
    labels = checked_labels(model, labels)
    _check_top_k(top_k, labels)
    names = output_names(model, _checked_name(output_name, inputs, labels))
    endpoints = _endpoints(model, raw, inputs, (labels, top_k), preprocess, names)
    with publishing(path, overwrite) as folder:
        _write(model, preprocess, endpoints, names, (labels, top_k), raw, folder)
        report = verify(
            folder, model, examples, preprocess=preprocess, fresh_process=fresh_process, tolerance=tolerance
        )
        write_warm_up(folder, model, examples, warm_up)
        write_card(folder, card, model, report)
        write_manifest(folder)
    return VerificationReport(**{**vars(report), "path": str(path)})


def _check_additions(warm_up, card):
    check_integer("warm_up", warm_up, 0, MAX_ROWS, advice="Use warm_up=0 to keep the examples out of the export.")
    check_card(card)


def _checked_name(output_name, inputs, labels):
    """Return the name of a single output, or None for the model's own."""
    if labels is not None and output_name not in (None, "probabilities"):
        fail("output_name", output_name, '"probabilities" where labels are given', "Leave one of them out.")
    if output_name is None and (inputs != "arrays" or labels is not None):
        return "probabilities"
    return output_name


def _check_top_k(top_k, labels):
    if top_k is None:
        return
    if labels is None:
        fail("top_k", top_k, "None where no labels are given", "Give `labels`.")
    check_integer("top_k", top_k, 1, len(labels), advice="It counts labels.")


def _endpoints(model, raw, inputs, decoding, preprocess, names):
    """Return {signature: (function, specs)}. The archive makes the first one `serving_default` too."""
    labels, top_k = decoding
    if raw is None:
        return {"serving_arrays": (array_endpoint(model, names, labels, top_k), input_specs(model))}
    serve = raw_endpoint(model, names, labels, preprocess, top_k)
    endpoints = {f"serving_{raw.array_name}": (serve, [raw.spec])}
    if inputs == raw.encoded_name:
        strings = [tf.TensorSpec((None,), tf.string, raw.encoded_name)]
        endpoints = {"serving_bytes": (lambda encoded: serve(raw.decode(encoded)), strings)} | endpoints
    return endpoints


def _write(model, preprocess, endpoints, names, decoding, raw, folder):
    labels, top_k = decoding
    archive = keras.export.ExportArchive()
    archive.track(model)
    if isinstance(preprocess, keras.layers.Layer) and preprocess.built:
        archive.track(preprocess)
    contract = {}
    for name, (function, specs) in endpoints.items():
        traced = archive.add_endpoint(name, function, specs).get_concrete_function()
        contract[name] = {
            "inputs": {spec.name: described(spec) for spec in specs},
            "outputs": {name: described(output) for name, output in sorted(traced.structured_outputs.items())},
        }
    _share_variables(archive)
    archive.write_out(str(folder), verbose=False)
    if labels is not None:
        write_labels(folder / LABELS, labels)
    contract = {"serving_default": next(iter(contract.values()))} | contract
    content = {"keras": keras.__version__, "tensorflow": tf.__version__, "labels": LABELS if labels else None}
    content |= {"model_outputs": names, "top_k": top_k, "signatures": contract}
    if isinstance(raw, RawWaveforms):
        content["sample_rate_hz"] = raw.sample_rate_hz
    write_contract(folder, content)


def _share_variables(archive):
    """Let the archive's lists hold TensorFlow's variables, for which Keras has no public way.

    Its own wrappers would be written beside those that the endpoints hold, and each weight stand in the file twice.
    """
    for name in ("variables", "trainable_variables", "non_trainable_variables"):
        setattr(archive._tf_trackable, name, [variable.value for variable in getattr(archive, name)])
