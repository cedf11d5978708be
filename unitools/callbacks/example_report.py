"""Confusion and wrong examples of chosen data, for TensorBoard."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from unitools.callbacks.judged_examples import JudgedExamples, judge_examples
from unitools.callbacks.summary_writers import SummaryWriters
from unitools.core.checks import fail
from unitools.plots import confusion_matrix, picture_grid

_MAX_POSITIONS = 5  # of a sequence that are named


class ExampleReport:
    """Draws which classes a model takes for which, and shows the examples it gets most wrong.

    Args:
        inputs: Input of the model, as arrays.
        labels: Classes, see `judge_examples`.
        shown: What to show of each example: pictures `(examples, height, width, channels)` from 0 to 255, or texts.
            None: the inputs if they are pictures or texts, else the examples' numbers.
        class_names: Names of the classes. None: their numbers.
        limit: Number of wrong examples to show.

    Raises:
        ValueError: `shown` or `labels` has another length than the inputs.
    """

    def __init__(self, inputs: Any, labels: Any, shown: Any, class_names: Sequence[str] | None, limit: int):
        count = len(keras.tree.flatten(inputs)[0])
        for name, values in (("labels", labels), ("shown", shown)):
            if values is not None and len(values) != count:
                fail(name, f"{len(values)} values", f"one for each of the {count} examples", "Give one an example.")
        self._inputs, self._labels, self._limit = inputs, np.asarray(labels), limit
        self._shown = inputs if shown is None and not isinstance(inputs, (dict, list, tuple)) else shown
        self._class_names = class_names

    def write(self, model: keras.Model, writers: SummaryWriters, step: int) -> None:
        """Predict, and write pictures and texts."""
        outputs = model.predict(self._inputs, verbose=0)
        judged = judge_examples(self._labels, outputs)
        names = self._names(judged, outputs)
        figure = confusion_matrix(*judged.counted, names)
        writers.figure("validation", "examples/confusion", figure, step)
        worst = judged.worst(self._limit)
        if len(worst):
            self._write_worst(writers, judged, worst, names, step)

    def _names(self, judged, outputs):
        if self._class_names is not None:
            return list(self._class_names)
        scored = outputs.shape[-1] if outputs.ndim > judged.labels.ndim else 0
        return [str(number) for number in range(max(scored, *(int(each.max()) + 1 for each in judged.counted)))]

    def _write_worst(self, writers, judged, worst, names, step):
        mistakes = [_mistake(judged, place, names) for place in worst]
        if _are_pictures(self._shown):
            titles = [f"{mistake}\n{judged.losses[place]:.2f}" for place, mistake in zip(worst, mistakes, strict=True)]
            figure = picture_grid([np.asarray(self._shown[place]) for place in worst], titles)
            writers.figure("validation", "examples/wrong", figure, step)
            return
        rows = [
            f"| {judged.losses[place]:.4f} | {_cell(mistake)} | {_cell(self._text(place))} |"
            for place, mistake in zip(worst, mistakes, strict=True)
        ]
        table = "\n".join(["| loss | true → predicted | example |", "|---|---|---|", *rows])
        writers.text("validation", "examples/wrong", table, step)

    def _text(self, place):
        if self._shown is None or not _are_texts(self._shown):
            return f"number {place}"
        value = self._shown[place]
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _mistake(judged: JudgedExamples, place: int, names: list[str]) -> str:
    labels, predictions = np.atleast_1d(judged.labels[place]), np.atleast_1d(judged.predictions[place])
    wrong = np.flatnonzero((labels != predictions) & (labels >= 0))
    pairs = [f"{names[labels[position]]} → {names[predictions[position]]}" for position in wrong[:_MAX_POSITIONS]]
    if judged.labels.ndim > 1:
        pairs = [f"{position}: {pair}" for position, pair in zip(wrong, pairs, strict=False)]
    return "; ".join(pairs) + ("; …" if len(wrong) > _MAX_POSITIONS else "")


def _are_pictures(shown):
    if isinstance(shown, np.ndarray) or hasattr(shown, "shape"):
        return len(shown.shape) == 4 and shown.shape[-1] in (1, 3, 4)
    return shown is not None and len(shown) > 0 and np.ndim(shown[0]) in (2, 3)


def _are_texts(shown):
    first = shown[0] if len(shown) else ""
    return isinstance(first, (str, bytes))


def _cell(text):
    return text.replace("|", "\\|").replace("\n", " ")
