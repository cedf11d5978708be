"""Precision, recall and F1 of whole entities."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from unitools.core.checks import check_choice, fail
from unitools.core.component import register
from unitools.core.entity_tags import check_tags, resolve_scheme
from unitools.metrics.counted_scores import CountedScores
from unitools.metrics.entity_rules import entity_rules
from unitools.metrics.entity_spans import entity_spans, joined_sentences


@register
class EntityScores(CountedScores):
    """Counts entities: a predicted one is right if its first word, its last word and its type are.

    The numbers are seqeval's, and those of CoNLL's `conlleval`. They are counted in the graph, so that `fit` shows
    them while it trains: `entity_f1` and, for the validation data, `val_entity_f1`, which early stopping can watch.
    `print(metric.report())` gives the table by type.

    Why: the accuracy by word is high where nothing is found, since most words are outside. What counts is whether an
    entity is found, whole.

    Args:
        tags: Tags in the order of their numbers, such as ["O", "B-PER", "I-PER"].
        mode: "default": every sequence of tags is read as entities, as in CoNLL's evaluation; a stray I begins one.
            "strict": only what keeps the scheme is an entity.
        scheme: "iob2", "iob1" or "bioes", for the strict mode. Default "auto": "bioes" if a tag has the prefix E or S,
            else "iob2". IOB1 cannot be told from the tags alone.
        average: Average that `result` gives: "micro" (default, CoNLL's), "macro" or "weighted".
        ignore_class: Label of positions that do not count, such as all pieces of a word but its first. Default -1. They
            are taken out before the sequence is read. None: every position counts.
        name: Name of the metric, and the beginning of its results' names. Default "entity".
        **kwargs: `dtype`.

    Call arguments:
        y_true: Integer labels.
        y_pred: Scores of the tags, tag numbers, or the output of a `CRF`. A Keras mask on them is honoured.
        sample_weight: Weight of each sentence or position, optional: 0 leaves it out, anything else counts once.

    Input shape:
        y_true: `(batch, time)`.
        y_pred: `(batch, time, num_tags)`, `(batch, time)` for tag numbers,
            `(batch, time, num_tags, num_tags)` from a CRF.

    Output shape:
        A dict of three numbers.

    Raises:
        ValueError: A tag is no entity tag, an argument is out of range, the tags have a prefix
            that `scheme` lacks, or shapes do not agree.

    Example:
    >>> import numpy
    >>> import unitools as ut
    >>> metric = ut.metrics.EntityScores(["O", "B-PER", "I-PER"])
    >>> metric.update_state(numpy.array([[1, 2, 0, 1]]), numpy.array([[1, 2, 0, 0]]))
    >>> {name: round(float(score), 3) for name, score in metric.result().items()}
    {'entity_precision': 1.0, 'entity_recall': 0.5, 'entity_f1': 0.667}

    Source:
        Tjong Kim Sang and De Meulder 2003, https://aclanthology.org/W03-0419, section 2.3, and seqeval 1.2.2, which
        differ nowhere. A score whose denominator is 0 is 0.
    """

    def __init__(
        self,
        tags: Sequence[str],
        *,
        mode: str = "default",
        scheme: str = "auto",
        average: str = "micro",
        ignore_class: int | None = -1,
        name: str = "entity",
        **kwargs: Any,
    ):
        super().__init__(average=average, ignore_class=ignore_class, name=name, **kwargs)
        self.tags = check_tags("tags", tags)
        self.mode = check_choice("mode", mode, ("default", "strict"))
        self.scheme = scheme
        resolved = resolve_scheme(scheme, self.tags)
        self._table, self._kinds, kinds = entity_rules(self.tags, resolved if mode == "strict" else None)
        self.count_rows(kinds)

    def counts(self, labels: Any, tags: Any, counted: Any) -> tuple:
        """Return correct, predicted and support by type."""
        if labels.shape.rank != 2:
            fail("y_true", tuple(labels.shape), "(batch, time)", "Entities are found along the time axis.")
        outside = len(self.tags)
        labels, tags = (joined_sentences(numbers, counted, outside) for numbers in (labels, tags))
        (true, true_ends), (found, ends) = (entity_spans(numbers, self._table) for numbers in (labels, tags))
        kinds, found_kinds = (tf.gather(self._kinds, numbers) for numbers in (labels, tags))
        correct = true & found & (true_ends == ends) & (kinds == found_kinds)
        return self._by_kind(correct, kinds), self._by_kind(found, found_kinds), self._by_kind(true, kinds)

    def _by_kind(self, entities, kinds):
        size = len(self._rows)
        return tf.math.unsorted_segment_sum(tf.cast(entities, tf.int32), kinds, size + 1)[:size]
