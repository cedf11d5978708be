"""What a model takes examples for, and which it gets most wrong."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from unitools.metrics.predicted_tags import predicted_tags

_SMALLEST = 1e-7  # probability, below which the loss no longer grows: Keras' own


@dataclass
class JudgedExamples:
    """Classes of examples, or of the positions of sequences, as they are and as they are predicted.

    Args:
        labels: Classes `(examples,)` or `(examples, time)`; -1 at positions that do not count.
        predictions: Predicted classes, likewise.
        losses: Cross-entropy of each example, `(examples,)`, over the positions that count; where the model gives no
            score a class, the share of them that is wrong.
    """

    labels: np.ndarray
    predictions: np.ndarray
    losses: np.ndarray

    @property
    def counted(self) -> tuple[np.ndarray, np.ndarray]:
        """Labels and predictions of the positions that count, `(positions,)` each."""
        return self.labels[self.labels >= 0], self.predictions[self.labels >= 0]

    def worst(self, limit: int) -> np.ndarray:
        """Return the places of the wrong examples, that of the highest loss first, `limit` at the most."""
        wrong = _by_example((self.labels != self.predictions) & (self.labels >= 0)).any(axis=1)
        order = np.argsort(-self.losses, kind="stable")
        return order[wrong[order]][:limit]


def judge_examples(labels: Any, outputs: Any) -> JudgedExamples:
    """Compare a classifier's or tagger's outputs with the labels.

    Args:
        labels: Classes as integers, `(examples,)`, `(examples, 1)` or `(examples, time)`, -1 where a position does not
            count; or one-hot, of the shape of the outputs.
        outputs: Probabilities or logits, an axis of classes last; or a CRF's potentials; or classes.

    Raises:
        ValueError: The shapes do not fit.
    """
    labels, outputs = np.asarray(labels), np.asarray(outputs)
    if labels.shape == outputs.shape and np.issubdtype(labels.dtype, np.floating):
        labels = labels.argmax(axis=-1)
    labels, predictions = (np.asarray(tags) for tags in predicted_tags(labels, outputs))
    counted = labels >= 0
    if outputs.ndim == labels.ndim + 1:
        own = np.take_along_axis(_log_probabilities(outputs), np.maximum(labels, 0)[..., None], axis=-1)
        losses = -own[..., 0]
    else:
        losses = (labels != predictions).astype("float64")
    totals, counts = (_by_example(values).sum(axis=1) for values in (np.where(counted, losses, 0.0), counted))
    return JudgedExamples(labels, predictions, totals / np.maximum(counts, 1))


def _by_example(values):
    return values.reshape(len(values), -1)


def _log_probabilities(outputs):
    """Return logarithms of probabilities, which are known by being >= 0 with the sum 1, or of logits' softmax."""
    outputs = outputs.astype("float64")
    if np.all(outputs >= 0) and np.allclose(outputs.sum(axis=-1), 1, atol=1e-2):
        return np.log(np.clip(outputs, _SMALLEST, 1))
    outputs = outputs - outputs.max(axis=-1, keepdims=True)
    return outputs - np.log(np.exp(outputs).sum(axis=-1, keepdims=True))
