"""The demo of named-entity recognition: from column files to a verified export that is served, and asked again."""

import time
from pathlib import Path

import keras
import tensorflow as tf
from rich.console import Console

from unitools.callbacks import Progress
from unitools.cli.ner_data import open_sentences
from unitools.cli.ner_model import pretrained_recognizer, small_recognizer
from unitools.cli.ner_settings import NerSettings
from unitools.cli.over_rest import ask_over_rest, print_answers
from unitools.cli.user_error import user_errors
from unitools.data import ColumnText
from unitools.export import VerificationError
from unitools.tasks import NamedEntityRecognizer, read_entities

_EPOCHS, _SMALL_EPOCHS = 5, 15
_RATE, _SMALL_RATE = 2e-5, 3e-3
_AT_A_TIME, _SHOWN = 256, 5


def run_ner_demo(settings: NerSettings, console: Console | None = None) -> float:
    """Train, evaluate, export, load the export and let it find names, then serve it and ask it over REST.

    Args:
        settings: What to do.
        console: Where to print. Default None: standard output.

    Returns:
        The entity F1 on the test sentences.

    Raises:
        UserError: Data, weights or the output folder cannot be used.
        VerificationError: The export answers otherwise than the model.
    """
    console = console or Console()
    keras.utils.set_random_seed(settings.seed)
    with user_errors():
        readers = open_sentences(settings.data, settings.seed)
        make = small_recognizer if settings.weights is None else pretrained_recognizer
        recognizer = make(settings, readers[0])
        settings.output.mkdir(parents=True, exist_ok=True)
    for name, reader in zip(("train", "dev", "test"), readers, strict=True):
        console.print(f"{name}: {_described(reader)}", highlight=False, markup=False, soft_wrap=True)
    begin = time.perf_counter()
    _train(recognizer, *readers[:2], settings, console)
    console.print(f"training took {time.perf_counter() - begin:.0f} s", highlight=False)
    score = _report(recognizer, readers[2], settings.output, console)
    _export(recognizer, readers[2], settings.output / "export" / "1", console)
    return score


def _described(reader: ColumnText):
    kinds = ", ".join(f"{count} {kind}" for kind, count in reader.entity_counts.items())
    repaired = f"; {len(reader.repaired)} tags repaired" if reader.repaired else ""
    return f"{len(reader)} sentences, {reader.num_words} words; entities: {kinds or 'none'}{repaired}"


def _train(recognizer: NamedEntityRecognizer, train, dev, settings, console):
    """Train, score the development sentences after every epoch, and go back to the best epoch's weights."""
    small = settings.weights is None
    best = settings.output / "best.weights.h5"
    options = {"monitor": "val_entity_f1", "mode": "max", "save_best_only": True, "save_weights_only": True}
    progress = Progress(["entity_f1"])
    progress.console = console
    recognizer.fit(
        train,
        dev,
        epochs=settings.epochs or (_SMALL_EPOCHS if small else _EPOCHS),
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate or (_SMALL_RATE if small else _RATE),
        decay="linear",
        clip_norm=5.0 if small else 1.0,
        keep_best=False,
        seed=settings.seed,
        verbose=False,
        callbacks=[progress, keras.callbacks.ModelCheckpoint(best, **options)],
    )
    recognizer.model.load_weights(best)
    console.print(f"best weights: {best}", highlight=False, markup=False, soft_wrap=True)


def _report(recognizer, test, output, console):
    """Print and write the scores on the test sentences; return the entity F1."""
    entities = recognizer.evaluate(test)
    texts = [f"Entities of {test.path.name}", entities, f"\nWords of {test.path.name}"]
    report = "\n".join(map(str, [*texts, recognizer.evaluate(test, level="tokens")]))
    (output / "report.txt").write_text(report + "\n", encoding="utf-8")
    console.print(report, highlight=False, markup=False)
    return entities.as_dict()["micro avg"]["f1"]


def _export(recognizer, test: ColumnText, path: Path, console):
    """Write the export, compared with `predict` on every test sentence, load it, and let it read them again."""
    texts = [" ".join(words) for words, _ in test.sentences]
    verified = recognizer.export(path, texts, overwrite=True)
    console.print(str(verified), highlight=False, markup=False, soft_wrap=True)
    serve = tf.saved_model.load(str(path)).signatures["serving_default"]
    begin = time.perf_counter()
    parts = [serve(texts=tf.constant(texts[start : start + _AT_A_TIME])) for start in range(0, len(texts), _AT_A_TIME)]
    found = [entities for part in parts for entities in read_entities(part)]
    rate = len(texts) / (time.perf_counter() - begin)
    console.print(f"loaded again, it reads {rate:.0f} sentences a second", highlight=False, soft_wrap=True)
    _serve(path, texts, found, console)


def _serve(export, texts, found, console):
    """Serve the export, and show what it answers for the texts with the most names, which must be what was found."""
    chosen = sorted(range(len(texts)), key=lambda place: -len(found[place]))[:_SHOWN]
    asked = [texts[place] for place in chosen]
    answers = ask_over_rest(export, {"texts": asked}, {}, console)
    if answers is None:
        return
    served = read_entities(answers)
    if [_places(entities) for entities in served] != [_places(found[place]) for place in chosen]:
        raise VerificationError(f"The entities over REST must be those of {export}. Do not serve it; report the case.")
    rows = zip(asked, (", ".join(map(_listed, entities)) for entities in served), strict=True)
    print_answers(console, ("text", "entities"), rows, export)


def _places(entities):
    return [(entity.start, entity.end, entity.type) for entity in entities]


def _listed(entity):
    return f"{entity.text} ({entity.type} {entity.confidence:.2f})"
