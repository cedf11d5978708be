"""The likelihood of whole sequences of tags."""

from typing import Any

import keras
import tensorflow as tf

from unitools.core.checks import check_choice, check_integer, fail
from unitools.core.component import Component, register
from unitools.core.layers.linear_chain import FORBIDDEN, centred, log_partition, passed_through

_REDUCTIONS = ("mean_with_sample_weight", "sum", "none", None)
_NOT_THE_LABEL = 100 * FORBIDDEN  # far below a step that is forbidden: a label that breaks the scheme still counts


@register
class CRFLoss(Component, keras.losses.Loss):
    """Negative log likelihood of sequences of tags under what `ut.heads.CRF` puts out.

    For one sequence it is log Z - log Z', with Z the sum over all sequences of tags and Z' over those that agree with
    the labels. Where a label is ignored, every tag agrees. Where the CRF's mask leaves a position out, its label does
    not matter.

    Why: a loss by position would not see the steps between tags. The loss needs nothing but the CRF's output, so it is
    saved and loaded like any other, and `compile` takes it.

    Args:
        normalize: What the sum over the batch is divided by. "tokens" (default): the positions with a label, so that a
            learning rate holds for sentences of any length and is comparable with `TokenCrossEntropy`'s. "sequences":
            the sequences with a label.
        ignore_class: Label of positions whose tag is not known. Default -1. None: every label is a tag.
        name: Name of the loss.
        reduction: "mean_with_sample_weight" (default, divided as `normalize` says), "sum" or None (by sequence).
        **kwargs: `dtype`.

    Call arguments:
        y_true: Integer labels.
        y_pred: Output of a `CRF`.
        sample_weight: Weight of each sequence, optional.

    Input shape:
        y_true: `(batch, time)`.
        y_pred: `(batch, time, num_tags, num_tags)`.
        sample_weight: `(batch,)`.

    Output shape:
        A number, or `(batch,)` without reduction.

    Raises:
        ValueError: An argument is out of range, or shapes do not agree.

    Example:
    >>> import numpy
    >>> import unitools as ut
    >>> potentials = numpy.zeros((1, 3, 2, 2), "float32")
    >>> round(float(ut.losses.CRFLoss()(numpy.array([[0, 1, -1]]), potentials)), 3)
    0.693

    Source:
        Lample et al. 2016, https://arxiv.org/abs/1603.01360, section 2.2. Unknown labels as in Tsuboi et al. 2008,
        https://aclanthology.org/C08-1113.
    """

    def __init__(
        self,
        *,
        normalize: str = "tokens",
        ignore_class: int | None = -1,
        name: str = "crf_loss",
        reduction: str | None = "mean_with_sample_weight",
        **kwargs: Any,
    ):
        check_choice("reduction", reduction, _REDUCTIONS, "`normalize` says what the sum is divided by.")
        super().__init__(name=name, reduction=reduction, **kwargs)
        self.normalize = check_choice("normalize", normalize, ("tokens", "sequences"))
        self.ignore_class = None if ignore_class is None else check_integer("ignore_class", ignore_class)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss, reduced."""
        weight = self._weight(y_true, y_pred, sample_weight)
        # A copy has no Keras mask: the CRF has worked it in, and a mask by position does not fit a loss by sequence.
        return super().__call__(y_true, tf.identity(y_pred), sample_weight=weight)

    def sums(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> tuple[Any, Any]:
        """Return the weighted sum over the batch and what to divide it by, for gradient accumulation.

        Used as `TokenCrossEntropy.sums`.
        """
        weight = self._weight(y_true, y_pred, sample_weight)
        return tf.reduce_sum(self.call(y_true, y_pred) * weight), tf.reduce_sum(weight)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return each sequence's loss, divided by its positions if `normalize` is "tokens"."""
        labels, known = self._labels(y_true, y_pred)
        potentials = centred(tf.cast(y_pred, tf.float32))
        agrees = tf.one_hot(labels, y_pred.shape[-1], on_value=True, off_value=False) | ~known[:, :, None]
        labelled = potentials + tf.where(agrees, 0.0, _NOT_THE_LABEL)[:, :, None, :]
        # Both sums in one loop: its length, not its width, is what takes time.
        free, bound = tf.split(log_partition(tf.concat([potentials, labelled], axis=0)), 2)
        return tf.cast((free - bound) / tf.maximum(self._positions(known), 1.0), self.dtype)

    def _labels(self, y_true, y_pred):
        """Return labels, and True where there is one."""
        shape, square = tuple(y_pred.shape), len(y_pred.shape) == 4 and y_pred.shape[-1] == y_pred.shape[-2]
        if not square:
            fail("y_pred", shape, "(batch, time, num_tags, num_tags)", "Give the output of ut.heads.CRF.")
        if len(y_true.shape) == 3 and y_true.shape[-1] == 1:
            y_true = tf.squeeze(y_true, axis=-1)
        if len(y_true.shape) != 2:
            fail("y_true", tuple(y_true.shape), f"(batch, time) for predictions of shape {shape}")
        labels = tf.cast(y_true, tf.int32)
        known = ~passed_through(tf.cast(y_pred, tf.float32))
        return labels, known if self.ignore_class is None else known & (labels != self.ignore_class)

    def _positions(self, known):
        count = tf.reduce_sum(tf.cast(known, tf.float32), axis=1)
        return count if self.normalize == "tokens" else tf.minimum(count, 1.0)

    def _weight(self, y_true, y_pred, sample_weight):
        _, known = self._labels(tf.convert_to_tensor(y_true), tf.convert_to_tensor(y_pred))
        weight = tf.cast(self._positions(known), self.dtype)
        if sample_weight is None:
            return weight
        sample_weight = tf.cast(sample_weight, self.dtype)
        if sample_weight.shape.rank == 2 and sample_weight.shape[-1] == 1:
            sample_weight = tf.squeeze(sample_weight, axis=-1)
        if sample_weight.shape.rank != 1:
            fail("sample_weight", tuple(sample_weight.shape), "(batch,): one weight a sequence")
        return weight * sample_weight
