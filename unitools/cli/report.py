"""Results as tables and pictures."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from unitools.data import ImageFolder
from unitools.plots import confusion_matrix, picture_grid
from unitools.training import CompileReport

_MAX_WRONG = 36


def print_choices(console: Console, report: CompileReport) -> None:
    """Print what `training.compile` chose."""
    table = Table("choice", "value", title="What training.compile chose", title_justify="left")
    for name, value in asdict(report).items():
        table.add_row(name, Text(value))
    console.print(table)


def print_results(console: Console, validation: ImageFolder, probabilities: np.ndarray, seconds: dict) -> float:
    """Print accuracy, precision and recall by class, and times; return the accuracy."""
    predictions = probabilities.argmax(axis=-1)
    accuracy = accuracy_score(validation.labels, predictions)
    scores = precision_recall_fscore_support(
        validation.labels, predictions, labels=range(validation.num_classes), zero_division=0
    )
    title = f"{len(validation)} held-out pictures"
    table = Table("class", title=title, title_justify="left")
    for heading in ("precision", "recall", "pictures"):
        table.add_column(heading, justify="right")
    for name, precision, recall, _, count in zip(validation.class_names, *scores, strict=True):
        table.add_row(Text(name), f"{precision:.3f}", f"{recall:.3f}", str(count))
    console.print(table)
    times = ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items())
    console.print(f"accuracy {accuracy:.4f} ({times})", highlight=False, style="bold")
    return accuracy


def write_pictures(folder: Path, validation: ImageFolder, probabilities: np.ndarray) -> list[Path]:
    """Write the confusion matrix and, where there are any, the wrong predictions; return the paths."""
    predictions = probabilities.argmax(axis=-1)
    written = [folder / "confusion_matrix.png"]
    confusion_matrix(validation.labels, predictions, validation.class_names).savefig(written[0], dpi=120)
    wrong = np.flatnonzero(predictions != validation.labels)
    grid = folder / "wrong_predictions.png"
    grid.unlink(missing_ok=True)  # of an earlier run
    if len(wrong):
        # The surest mistakes first: they tell most about labels and data.
        wrong = wrong[np.argsort(-probabilities[wrong].max(axis=-1))][:_MAX_WRONG]
        titles = [_title(validation, index, probabilities[index]) for index in wrong]
        picture_grid([validation[int(index)]["images"] for index in wrong], titles).savefig(grid, dpi=120)
        written.append(grid)
    return written


def _title(validation, index, probabilities):
    names = validation.class_names
    taken = probabilities.argmax()
    return f"{names[validation.labels[index]]}, taken for\n{names[taken]} ({probabilities[taken]:.2f})"
