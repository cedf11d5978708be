"""The demo: from pictures to a verified export that is loaded, served, and asked again."""

import time
from pathlib import Path

import keras
import numpy as np
from rich.console import Console

from unitools.cli.demo_data import open_data
from unitools.cli.demo_model import pretrained_network, small_network
from unitools.cli.demo_settings import DemoSettings
from unitools.cli.demo_training import train_network
from unitools.cli.over_rest import ask_over_rest, print_answers
from unitools.cli.report import print_choices, print_results, write_pictures
from unitools.cli.served import classify_files
from unitools.cli.user_error import user_errors
from unitools.data import ImageFolder
from unitools.export import ModelCard, VerificationError, saved_model
from unitools.export.verify import TOLERANCES

_EXAMPLES = 8
_RTOL, _ATOL = TOLERANCES["float32"]


def run_demo(settings: DemoSettings, console: Console | None = None) -> float:
    """Train, evaluate, export, load the export and classify with it, serve it and ask it over REST.

    Args:
        settings: What to do.
        console: Where to print. Default None: standard output.

    Returns:
        The accuracy on the held-out pictures.

    Raises:
        UserError: Data, weights or the output folder cannot be used.
        VerificationError: The export answers otherwise than the model.
    """
    console = console or Console()
    started = time.perf_counter()
    keras.utils.set_random_seed(settings.seed)
    with user_errors():
        train, validation = open_data(settings)
        model = _network(settings, train)
        settings.output.mkdir(parents=True, exist_ok=True)
    _print_data(console, train, validation)
    report = train_network(model, train, validation, settings, console)
    trained = time.perf_counter()
    probabilities = model.predict(validation.batches(settings.batch_size, shuffle=False, class_mode=None), verbose=0)
    print_choices(console, report)
    export, verified = _export(model, validation, _card(model, train, validation, probabilities), settings)
    _ask_export(export, validation, probabilities)
    seconds = {"training": trained - started, "all": time.perf_counter() - started}
    accuracy = print_results(console, validation, probabilities, seconds)
    _print_paths(console, [*write_pictures(settings.output, validation, probabilities), export], verified)
    _serve(export, validation, probabilities, console)
    return accuracy


def _network(settings, train):
    shape = train[0]["images"].shape
    if settings.weights is None:
        return small_network(shape, train.num_classes)
    return pretrained_network(settings.weights, shape, train.num_classes)


def _card(model, train, validation, probabilities):
    score = float(np.mean(probabilities.argmax(axis=-1) == validation.labels))
    return ModelCard(
        model.name,
        data=f"{len(train)} pictures of {train.num_classes} classes to train on, {len(validation)} held out.",
        scores={f"accuracy on the {len(validation)} held-out pictures": score},
        limits="Trained by the demo. It answers with one of its classes for any picture.",
    )


def _export(model, validation, card, settings):
    """Write the export, verified on real pictures; return its folder and the report."""
    export = settings.output / "export" / "1"
    # From all over the folder, which lies class by class.
    files = validation.files[:: max(len(validation) // _EXAMPLES, 1)][:_EXAMPLES]
    options = {"labels": validation.class_names, "examples": list(files), "card": card}
    report = saved_model(model, export, "image_bytes", **options, overwrite=True)
    return export, report


def _ask_export(export: Path, validation: ImageFolder, probabilities: np.ndarray):
    """Raise unless the loaded export gives, for the bytes of each held-out file, what `predict` gave."""
    served, labels = classify_files(export, validation.files)
    expected = [validation.class_names[label] for label in probabilities.argmax(axis=-1)]
    if labels != expected or not np.allclose(served, probabilities, rtol=_RTOL, atol=_ATOL):
        raise VerificationError(
            f"The export at {export} must answer as `predict` on {len(expected)} files. Probabilities differ by up to "
            f"{np.abs(served - probabilities).max():.2g}. Do not serve it, and report the case."
        )


def _serve(export, validation, probabilities, console):
    """Serve the export, and show what it answers for pictures from all over the folder."""
    places = range(0, len(validation), max(len(validation) // _EXAMPLES, 1))[:_EXAMPLES]
    files = [Path(validation.files[place]) for place in places]
    inputs = {"image_bytes": [file.read_bytes() for file in files]}
    answers = ask_over_rest(export, inputs, {"probabilities": probabilities[list(places)]}, console)
    if answers is not None:
        scores = (f"{score:.3f}" for score in answers["score"])
        names = (label.decode() for label in answers["label"])
        rows = zip((f"{file.parent.name}/{file.name}" for file in files), names, scores, strict=True)
        print_answers(console, ("picture", "answer", "score"), rows, export)


def _print_data(console, train, validation):
    height, width, channels = train[0]["images"].shape
    console.print(
        f"{len(train)} pictures to train on, {len(validation)} held out, {train.num_classes} classes, "
        f"{height} x {width} x {channels}",
        highlight=False,
    )


def _print_paths(console, paths, verified):
    console.print("The export, loaded again, gave predict's answer for every held-out file.", highlight=False)
    console.print(str(verified), highlight=False, markup=False, soft_wrap=True)
    for path in paths:
        console.print(f"  {path}", highlight=False, markup=False, soft_wrap=True)
