"""Cross-entropy for sequences of labels, normalised by the positions that count."""

from collections.abc import Mapping, Sequence
from typing import Any

from keras import ops

from unitools.core.checks import check_number, fail
from unitools.core.component import register
from unitools.losses.cross_entropy import CrossEntropy

_SMALLEST = 1e-7  # The slope of (1 - p) ** focal is infinite at p = 1 if focal is below 1.


@register
class TokenCrossEntropy(CrossEntropy):
    """Cross-entropy for integer labels a position: tags of words, classes of pixels.

    It is `CrossEntropy` with what tagging asks for: logits and an ignored label by default, a focal factor, and the
    sum and the weight apart from each other for gradient accumulation.

    With label y, smoothed label y' and predicted probabilities p, a position's loss is
    l = -(1 - p_y) ** focal * sum_c y'_c log p_c. Its weight w is the class weight of y times its sample weight, and 0
    where it is ignored or masked. The loss is sum(w l) / sum(w) over all positions of the batch.

    Why: the mean of Keras' losses counts padding and ignored word pieces, so that the loss shrinks as padding grows,
    and its `class_weight` is wrong for labels of shape (batch, time). The mean of micro-batch means is wrong too as
    soon as the micro-batches hold different numbers of words: use `sums` there.

    Args:
        from_logits: True if the predictions are logits, False if they are probabilities. Default True, as
            `ut.heads.TokenTagger` gives them.
        label_smoothing: Share of each label spread evenly over all classes, in [0, 1). Default 0.
        ignore_class: Label of positions that do not count. Default -1. None: every position counts.
        class_weight: Weight of each class, in the order of the classes: numbers >= 0, or a mapping from each class to
            its weight. Default None: all 1.
        focal: Exponent of the factor (1 - p_y) that plays easy positions down, >= 0. Default 0: no factor. 2 is the
            paper's choice. It does not enter the weight.
        name: Name of the loss.
        reduction: "mean_with_sample_weight" (default, sum(w l) / sum(w)), "sum" (sum(w l)) or None (w l by position).
        **kwargs: `dtype`.

    Call arguments:
        y_true: Integer labels.
        y_pred: Predictions. A Keras mask on them is honoured.
        sample_weight: Weight of each example or position, optional.

    Input shape:
        y_true: `(batch, ...)` or `(batch, ..., 1)`.
        y_pred: `(batch, ..., num_classes)`.
        sample_weight: `(batch,)` up to `(batch, ...)`.

    Output shape:
        A number, or `(batch, ...)` without reduction.

    Raises:
        ValueError: An argument is out of range, the labels are dense, or shapes do not agree.

    Example:
    >>> import numpy
    >>> import unitools as ut
    >>> loss = ut.losses.TokenCrossEntropy()
    >>> tags, logits = numpy.array([[0, 1, -1, -1]]), numpy.zeros((1, 4, 2))
    >>> round(float(loss(tags, logits)), 3)
    0.693
    >>> total, weight = loss.sums(tags, logits)
    >>> round(float(total), 3), float(weight)
    (1.386, 2.0)

    Source:
        Focal factor: Lin et al. 2017, https://arxiv.org/abs/1708.02002, equation 4. With smoothed labels the factor is
        that of the label itself.
    """

    def __init__(
        self,
        *,
        from_logits: bool = True,
        label_smoothing: float = 0.0,
        ignore_class: int | None = -1,
        class_weight: Sequence[float] | Mapping[int, float] | None = None,
        focal: float = 0.0,
        name: str = "token_cross_entropy",
        reduction: str | None = "mean_with_sample_weight",
        **kwargs: Any,
    ):
        super().__init__(
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            ignore_class=ignore_class,
            class_weight=class_weight,
            name=name,
            reduction=reduction,
            **kwargs,
        )
        self.focal = check_number("focal", focal, 0, advice="Use focal=0 to turn the factor off.")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return each position's loss, unweighted."""
        losses = super().call(y_true, y_pred)
        if not self.focal:
            return losses
        labels = ops.cast(self._labels(y_true, y_pred), "int32")
        if self.ignore_class is not None:
            labels = ops.where(ops.equal(labels, self.ignore_class), 0, labels)
        likelihood = -ops.sparse_categorical_crossentropy(labels, self._logits(y_pred), from_logits=True)
        return losses * ops.maximum(-ops.expm1(likelihood), _SMALLEST) ** self.focal

    def _labels(self, y_true, y_pred):
        labels = super()._labels(y_true, y_pred)
        if len(labels.shape) == len(y_pred.shape):
            expected = f"one integer a position, for predictions of shape {tuple(y_pred.shape)}"
            fail("y_true", tuple(y_true.shape), expected, "For dense labels use CrossEntropy.")
        return labels
