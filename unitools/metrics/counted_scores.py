"""Streaming precision, recall and F1 from three counts a row."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from unitools.core.checks import check_choice, check_integer
from unitools.core.component import Component
from unitools.metrics.predicted_tags import counted_positions, predicted_tags
from unitools.metrics.score_table import AVERAGES, ScoreTable


class CountedScores(Component, keras.metrics.Metric):
    """Base of metrics that count what is right, what was predicted and what was there, row by row.

    `EntityScores` and `TokenReport` derive from it. For rows of your own call `count_rows(names)` in the constructor
    and override `counts`.

    Why: counts add up over batches and over replicas, and every score follows from them exactly, which the mean of
    scores by batch does not give.

    Args:
        average: Average that `result` gives: "micro", "macro" or "weighted".
        ignore_class: Label of positions that do not count. None: every position counts.
        name: Name of the metric, and the beginning of its results' names.
        **kwargs: `dtype`.

    Example:
    >>> import unitools as ut
    >>> issubclass(ut.metrics.EntityScores, ut.metrics.CountedScores)
    True
    """

    def __init__(self, *, average: str, ignore_class: int | None, name: str, **kwargs: Any):
        super().__init__(name=name, **kwargs)
        self.average = check_choice("average", average, AVERAGES)
        self.ignore_class = None if ignore_class is None else check_integer("ignore_class", ignore_class)

    def count_rows(self, names: tuple[str, ...]) -> None:
        """Make the three counts for these rows."""
        self._rows = tuple(names)
        # int64: a float32 stops counting at 16,777,216.
        self._correct, self._predicted, self._support = (
            self.add_variable((len(names),), "zeros", dtype="int64", name=name)
            for name in ("correct", "predicted", "support")
        )

    def counts(self, labels: tf.Tensor, tags: tf.Tensor, counted: tf.Tensor) -> tuple:
        """Return correct, predicted and support by row for a batch.

        Args:
            labels: Tag numbers `(batch, ...)`.
            tags: Predicted tag numbers of the same shape.
            counted: Booleans of the same shape; labels where it is False mean nothing.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `counts`.")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch. Positions of sample weight 0 do not count, all others count once."""
        labels, tags = predicted_tags(y_true, y_pred)
        counted = counted_positions(labels, y_pred, self.ignore_class, sample_weight)
        variables = (self._correct, self._predicted, self._support)
        for variable, count in zip(variables, self.counts(labels, tags, counted), strict=True):
            variable.assign_add(ops.cast(count, "int64"))

    def result(self) -> dict[str, Any]:
        """Return precision, recall and F1 as `{name}_precision`, `{name}_recall`, `{name}_f1`."""
        counts = [ops.cast(count, "float32") for count in (self._correct, self._predicted, self._support)]
        if self.average == "micro":
            counts = [ops.sum(count, keepdims=True) for count in counts]
        correct, predicted, support = counts
        weights = support if self.average == "weighted" else ops.cast(predicted + support > 0, "float32")
        scores = {
            "precision": ops.divide_no_nan(correct, predicted),
            "recall": ops.divide_no_nan(correct, support),
            "f1": ops.divide_no_nan(2 * correct, predicted + support),
        }
        return {
            f"{self.name}_{key}": ops.divide_no_nan(ops.sum(weights * score), ops.sum(weights))
            for key, score in scores.items()
        }

    def report(self) -> ScoreTable:
        """Return all rows and averages so far, to print or to read."""
        counts = (ops.convert_to_numpy(count) for count in (self._correct, self._predicted, self._support))
        return ScoreTable(self._rows, *(tuple(map(int, count)) for count in counts))
