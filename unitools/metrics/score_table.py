"""Precision, recall and F1 by name, with their averages, as numbers and as a printed table."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

AVERAGES = ("micro", "macro", "weighted")


def _share(part, whole):
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=np.asarray(whole) > 0)


@dataclass(frozen=True)
class ScoreTable:
    """What was found, what was there, and what of it was right, as precision, recall and F1.

    Print it, or read it by `as_dict`. Rows without an example and without a prediction are left out. A score whose
    denominator is 0 is 0.

    Why: one number hides a rare type that is never found. The averages are those of scikit-learn and seqeval: "micro"
    over all examples, "macro" the mean of the rows, "weighted" their mean by support.

    Args:
        names: Names of the rows: types or tags.
        correct: Number of right predictions, by row.
        predicted: Number of predictions, by row.
        support: Number of examples, by row.

    Example:
    >>> import unitools as ut
    >>> print(ut.metrics.ScoreTable(["LOC", "PER"], [8, 1], [10, 1], [8, 4]))
                precision   recall       f1  support
    LOC            0.8000   1.0000   0.8889        8
    PER            1.0000   0.2500   0.4000        4
    <BLANKLINE>
    micro          0.8182   0.7500   0.7826       12
    macro          0.9000   0.6250   0.6444       12
    weighted       0.8667   0.7500   0.7259       12
    """

    names: Sequence[str]
    correct: Sequence[int]
    predicted: Sequence[int]
    support: Sequence[int]
    _scores: dict = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        counts = np.asarray([self.correct, self.predicted, self.support], dtype="int64")
        present = counts[1:].sum(axis=0) > 0
        names = [name for name, kept in zip(self.names, present, strict=True) if kept]
        object.__setattr__(self, "_scores", self._rows(names, counts[:, present]))

    def _rows(self, names, counts):
        rows = _scores(counts)
        support = counts[2]
        total = int(support.sum())
        means = {
            "micro": _scores(counts.sum(axis=1, keepdims=True))[:, 0],
            "macro": rows.mean(axis=1) if names else np.zeros(3),
            "weighted": _share((rows * support).sum(axis=1), np.full(3, total)),
        }
        return {name: _row(row, count) for name, row, count in zip(names, rows.T, support, strict=True)} | {
            f"{name} avg": _row(mean, total) for name, mean in means.items()
        }

    def as_dict(self) -> dict[str, dict[str, float]]:
        """Return precision, recall, f1 and support by row; the averages as "micro avg", "macro avg", "weighted avg"."""
        return {name: dict(row) for name, row in self._scores.items()}

    def __str__(self):
        names = [name.removesuffix(" avg") if name.endswith(" avg") else name for name in self._scores]
        width = max(10, *map(len, names))
        lines = [" " * width + "  precision   recall       f1  support"]
        for place, (name, row) in enumerate(zip(names, self._scores.values(), strict=True)):
            if place == len(names) - len(AVERAGES):
                lines.append("")
            numbers = f"{row['precision']:11.4f}{row['recall']:9.4f}{row['f1']:9.4f}{row['support']:9d}"
            lines.append(name.ljust(width) + numbers)
        return "\n".join(lines)


def _scores(counts):
    """Return precision, recall and F1 of each column of (correct, predicted, support)."""
    correct, predicted, support = counts
    return np.stack([_share(correct, predicted), _share(correct, support), _share(2 * correct, predicted + support)])


def _row(scores, support):
    return dict(zip(("precision", "recall", "f1"), map(float, scores), strict=True)) | {"support": int(support)}
