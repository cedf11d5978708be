"""Precision, recall and F1 of each tag, position by position."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from unitools.core.component import register
from unitools.core.entity_tags import check_tags
from unitools.metrics.counted_scores import CountedScores


@register
class TokenReport(CountedScores):
    """Counts positions by tag: precision, recall, F1 and support of each tag, O included.

    It is scikit-learn's `classification_report` as a streaming metric. `print(metric.report())` gives the table,
    `result` one average for the progress bar.

    Why: it shows which tags are taken for which, but not whether entities are found: a long entity counts as many times
    as it has words, and O, which is easy, counts most. Use `EntityScores` for that.

    Args:
        tags: Tags, or names of any classes, in the order of their numbers.
        average: Average that `result` gives: "macro" (default), "weighted", or "micro", which is the accuracy.
        ignore_class: Label of positions that do not count. Default -1. None: every position counts.
        name: Name of the metric, and the beginning of its results' names. Default "token".
        **kwargs: `dtype`.

    Call arguments:
        y_true: Integer labels.
        y_pred: Scores of the tags, tag numbers, or the output of a `CRF`. A Keras mask on them is honoured.
        sample_weight: Weight of each example or position, optional: 0 leaves it out, anything else counts once.

    Input shape:
        y_true: `(batch, ...)`.
        y_pred: `(batch, ..., num_tags)`, or `(batch, ...)` for tag numbers.

    Output shape:
        A dict of three numbers.

    Raises:
        ValueError: The tags are not distinct, an argument is out of range, or shapes do not agree.

    Example:
    >>> import numpy
    >>> import unitools as ut
    >>> metric = ut.metrics.TokenReport(["O", "B-PER"])
    >>> metric.update_state(numpy.array([[0, 0, 1, -1]]), numpy.array([[0, 1, 1, 1]]))
    >>> round(float(metric.result()["token_f1"]), 3)
    0.667

    Source:
        `sklearn.metrics.classification_report`, with `zero_division=0`.
    """

    def __init__(
        self,
        tags: Sequence[str],
        *,
        average: str = "macro",
        ignore_class: int | None = -1,
        name: str = "token",
        **kwargs: Any,
    ):
        super().__init__(average=average, ignore_class=ignore_class, name=name, **kwargs)
        self.tags = check_tags("tags", tags, entities=False)
        self.count_rows(self.tags)

    def counts(self, labels: Any, tags: Any, counted: Any) -> tuple:
        """Return correct, predicted and support by tag."""
        size = len(self.tags)
        # What does not count goes to a row of its own, which is cut off.
        labels, tags = (tf.where(counted, number, size) for number in (labels, tags))
        correct = tf.where(labels == tags, labels, size)
        return tuple(
            tf.math.unsorted_segment_sum(tf.ones_like(rows), rows, size + 1)[:size] for rows in (correct, tags, labels)
        )
