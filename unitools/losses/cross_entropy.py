"""Cross-entropy for class labels, whatever form the labels have."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from unitools.core.checks import check_choice, check_flag, check_integer, check_number, fail
from unitools.core.component import Component, register

_REDUCTIONS = ("mean_with_sample_weight", "sum", "none", None)
_SMALLEST = 1e-7  # Keras' epsilon: the floor under a probability before its logarithm.


@register
class CrossEntropy(Component, keras.losses.Loss):
    """Cross-entropy between class labels and predictions, averaged over the positions that count.

    Use it for one label an example, and for one label a token or pixel. Sparse and dense labels, label smoothing,
    ignored positions and class weights work together, which they do not in Keras: there smoothing needs dense labels,
    ignored positions need sparse ones, and ignored positions still count in the mean.

    With label y, smoothed label y' = (1 - label_smoothing) y + label_smoothing / num_classes and predicted
    probabilities p, a position's loss is l = -sum_c y'_c log p_c. Its weight w is the class weight of its label (the
    mean of the class weights under y, if y is dense) times its sample weight, and 0 where it is ignored or masked. The
    loss is sum(w l) / sum(w), and 0 where every weight is 0.

    Put class weights here, not into `fit(class_weight=...)`, which is silently wrong for integer labels of shape
    (batch, time).

    Args:
        from_logits: True if the predictions are logits, False if they are probabilities. Default False. Probabilities
            that come straight from a softmax activation are traced back to its logits, so nothing is lost to rounding.
        label_smoothing: Share of each label spread evenly over all classes, in [0, 1). Default 0.
        ignore_class: Label of positions that do not count, for instance -1 or 255. A dense label is ignored if it has
            no mass on any other class: one-hot for `ignore_class`, or all zeros, which is what one-hot makes of -1.
            Default None: every position counts.
        class_weight: Weight of each class, in the order of the classes: numbers >= 0, or a mapping from each class to
            its weight. Default None: all 1.
        reduction: "mean_with_sample_weight" (default, sum(w l) / sum(w)), "sum" (sum(w l)) or None (w l by position).
        **kwargs: `name`, `dtype`.

    Call arguments:
        y_true: Labels, sparse or dense. Told apart by their rank, or by a last axis of 1.
        y_pred: Predictions. A Keras mask on them is honoured.
        sample_weight: Weight of each example or position, optional.

    Input shape:
        y_true: `(batch, ...)` or `(batch, ..., 1)` for sparse, `(batch, ..., num_classes)` for dense labels.
        y_pred: `(batch, ..., num_classes)`.
        sample_weight: `(batch,)` up to `(batch, ...)`.

    Output shape:
        A number, or `(batch, ...)` without reduction.

    Raises:
        ValueError: An argument is out of range, or the shapes of labels, predictions and class weights do not agree.

    Example:
    >>> import numpy
    >>> import unitools as ut
    >>> loss = ut.losses.CrossEntropy(ignore_class=-1, label_smoothing=0.1)
    >>> tags = numpy.array([[0, 1, -1]])
    >>> probabilities = numpy.array([[[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]]])
    >>> round(float(loss(tags, probabilities)), 3)
    0.254

    Source:
        Label smoothing: Szegedy et al. 2016, https://arxiv.org/abs/1512.00567, section 7. PyTorch weights the smoothed
        part by each class's own weight; here the label's weight holds for the whole position, so that one weighted
        position is that many copies of it.
    """

    def __init__(
        self,
        *,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        ignore_class: int | None = None,
        class_weight: Sequence[float] | Mapping[int, float] | None = None,
        name: str = "cross_entropy",
        reduction: str | None = "mean_with_sample_weight",
        **kwargs: Any,
    ):
        check_choice("reduction", reduction, _REDUCTIONS, "Keras' other means divide by ignored positions too.")
        super().__init__(name=name, reduction=reduction, **kwargs)
        self.from_logits = check_flag("from_logits", from_logits)
        self.label_smoothing = check_number("label_smoothing", label_smoothing, 0, 1, open_high=True)
        self.ignore_class = None if ignore_class is None else check_integer("ignore_class", ignore_class)
        self.class_weight = None if class_weight is None else _weight_by_class(class_weight)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss, reduced."""
        y_pred = ops.convert_to_tensor(y_pred)
        labels, weight = self._labels_and_weight(y_true, y_pred, sample_weight)
        return super().__call__(labels, y_pred, sample_weight=weight)

    def sums(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> tuple[Any, Any]:
        """Return sum(w l) and sum(w), whatever `reduction` says.

        For gradient accumulation: add up the gradients of the first and the values of the second over the
        micro-batches, then divide the one by the other. The result is the gradient of one big batch.
        """
        mask = getattr(y_pred, "_keras_mask", None)
        y_pred = ops.convert_to_tensor(y_pred)
        labels, weight = self._labels_and_weight(y_true, y_pred, sample_weight)
        if mask is not None:
            weight = weight * ops.cast(mask, self.dtype)
        losses = self.call(labels, ops.cast(y_pred, self.dtype) if self.from_logits else y_pred)
        return ops.sum(losses * weight), ops.sum(weight)

    def _labels_and_weight(self, y_true, y_pred, sample_weight):
        labels = self._labels(ops.convert_to_tensor(y_true), y_pred)
        weight = self._position_weight(labels, y_pred)
        if sample_weight is not None:
            weight = weight * _as_positions(ops.cast(sample_weight, self.dtype), weight)
        return labels, weight

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return each position's loss, unweighted."""
        y_true = self._labels(y_true, y_pred)
        logits = self._logits(y_pred)
        if _is_sparse(y_true, y_pred):
            return self._sparse(ops.cast(y_true, "int32"), logits)
        classes = y_pred.shape[-1]
        smoothed = y_true * (1 - self.label_smoothing) + self.label_smoothing / classes
        return ops.categorical_crossentropy(smoothed, logits, from_logits=True)

    def _sparse(self, labels, logits):
        if self.ignore_class is not None:
            labels = ops.where(ops.equal(labels, self.ignore_class), 0, labels)
        loss = ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        if self.label_smoothing:
            spread = -ops.mean(ops.log_softmax(logits, axis=-1), axis=-1)
            loss = (1 - self.label_smoothing) * loss + self.label_smoothing * spread
        return loss

    def _logits(self, y_pred):
        if self.from_logits:
            return y_pred
        # Keras' softmax activation leaves its argument here. The probability's own logarithm ends at log(1e-7), and
        # below it the gradient vanishes.
        logits = getattr(y_pred, "_keras_logits", None)
        if logits is not None:
            return ops.cast(logits, self.dtype)
        return ops.log(ops.clip(y_pred, _SMALLEST, 1.0))

    def _labels(self, y_true, y_pred):
        classes = y_pred.shape[-1]
        if classes is None or classes < 2:
            fail("y_pred", tuple(y_pred.shape), "(batch, ..., num_classes) with two classes or more",
                 "For a single output use keras.losses.BinaryCrossentropy.")  # fmt: skip
        if self.class_weight is not None and len(self.class_weight) != classes:
            fail("class_weight", self.class_weight, f"one weight for each of the {classes} classes")
        same_rank = len(y_true.shape) == len(y_pred.shape)
        if same_rank and y_true.shape[-1] == 1:
            return ops.squeeze(y_true, axis=-1)
        if len(y_true.shape) == len(y_pred.shape) - 1 or (same_rank and y_true.shape[-1] in (classes, None)):
            return y_true
        return fail("y_true", tuple(y_true.shape), f"class numbers or {classes} values a position, for predictions of "
                    f"shape {tuple(y_pred.shape)}", "Check the labels' `class_mode`.")  # fmt: skip

    def _position_weight(self, labels, y_pred):
        sparse = _is_sparse(labels, y_pred)
        valid = self._valid(labels, sparse, y_pred.shape[-1])
        if self.class_weight is None:
            return valid
        table = ops.convert_to_tensor(self.class_weight, dtype=self.dtype)
        if not sparse:
            return valid * ops.sum(ops.cast(labels, self.dtype) * table, axis=-1)
        # An ignored label may lie outside the table; its weight is 0 anyway.
        return valid * ops.take(table, ops.clip(ops.cast(labels, "int32"), 0, len(self.class_weight) - 1))

    def _valid(self, labels, sparse, classes):
        if self.ignore_class is None:
            return ops.ones_like(labels if sparse else labels[..., 0], dtype=self.dtype)
        if sparse:
            return ops.cast(ops.not_equal(ops.cast(labels, "int32"), self.ignore_class), self.dtype)
        others = ops.cast([number != self.ignore_class for number in range(classes)], labels.dtype)
        return ops.cast(ops.sum(labels * others, axis=-1) > 0, self.dtype)


def _is_sparse(labels, y_pred):
    return len(labels.shape) < len(y_pred.shape)


def _as_positions(sample_weight, positions):
    """Return weights of the shape of `positions`, so that their sum counts every position."""
    if len(sample_weight.shape) == len(positions.shape) + 1:
        sample_weight = ops.squeeze(sample_weight, axis=-1)
    while len(sample_weight.shape) < len(positions.shape):
        sample_weight = ops.expand_dims(sample_weight, axis=-1)
    return ops.broadcast_to(sample_weight, ops.shape(positions))


def _weight_by_class(class_weight):
    """Return one number a class, in order."""
    values = class_weight
    if isinstance(class_weight, Mapping):
        values = [class_weight.get(number) for number in range(len(class_weight))]
    try:
        weights = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        weights = ()
    if len(weights) < 2 or not all(0 <= weight < math.inf for weight in weights):
        advice = "Give a list in the order of the classes, or a dictionary with a key for each class from 0 on."
        fail("class_weight", class_weight, "a number >= 0 for each class, two or more", advice)
    return weights
