"""Agreement of two dropout passes."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from unitools.core.checks import check_flag, check_integer, check_number, fail
from unitools.core.component import register
from unitools.regularization.extra_pass import extra_pass
from unitools.regularization.step_regularizer import StepRegularizer

_SMALLEST = 1e-7


@register
class RDrop(StepRegularizer):
    """Makes the predictions of two dropout passes over the same examples agree. A step of `RegularizedModel`.

    With the losses L1 and L2 of the passes and their predicted distributions p and q, the step descends
    (L1 + L2) / 2 + alpha (KL(p|q) + KL(q|p)) / 2, the divergence averaged over the examples, or over the positions that
    count, by their sample weights.

    Why: dropout trains many nets but uses their mean, and this closes the gap between them. It costs a second pass, and
    often helps where a pretrained text model is fine-tuned on little data. Without dropout it changes nothing.

    Metrics see the predictions of the first pass, which alone moves batch norm statistics. The loss reported is the one
    descended.

    Args:
        alpha: Weight of the divergence, >= 0. Default 1; the paper uses 0.1 to 5. 0 turns it off.
        from_logits: Whether the outputs are logits, or probabilities. Default None: as the compiled loss says, where
            names of losses mean probabilities as in Keras. An output of one unit is the logit or the probability of
            the second of two classes.
        ignore_class: Integer label of positions that do not count. Default -1. None: all count. Positions that the
            outputs' Keras mask leaves out never count.

    Input shape:
        Outputs of the model: `(batch, ..., classes)`, one tensor or several, whose divergences are added.

    Raises:
        ValueError: An argument is out of range. From `fit`: the loss does not say whether outputs are logits.

    Example:
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.5), keras.layers.Dense(3)])
    >>> model = ut.regularization.RegularizedModel(model, [ut.regularization.RDrop(alpha=1.0)])
    >>> model.compile("sgd", ut.losses.CrossEntropy(from_logits=True))
    >>> history = model.fit(np.ones((8, 4)), np.zeros(8, "int32"), verbose=0)

    Source:
        Wu et al. 2021, https://arxiv.org/abs/2106.14448, algorithm 1, with the mean of the two losses where equation 4
        has the sum, as in the authors' code: alpha and the learning rate keep their meaning.
    """

    def __init__(self, alpha: float = 1.0, *, from_logits: bool | None = None, ignore_class: int | None = -1):
        self.alpha = check_number("alpha", alpha, 0, advice="Use alpha=0 to turn it off.")
        self.from_logits = None if from_logits is None else check_flag("from_logits", from_logits)
        self.ignore_class = None if ignore_class is None else check_integer("ignore_class", ignore_class)

    def loss(self, model: Any, forward: Callable, x: Any, y: Any, sample_weight: Any) -> tuple[Any, Any]:
        """Return the loss of two passes, and the predictions of the first."""
        first, y_pred = forward(x, y, sample_weight)
        if not self.alpha:
            return first, y_pred
        with extra_pass(model):
            second, other = forward(x, y, sample_weight)
        logits = _loss_takes_logits(model) if self.from_logits is None else self.from_logits
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        divergence = ops.cast(self._divergence(y, y_pred, other, sample_weight, logits), first.dtype)
        return (first + second) / 2 + self.alpha / replicas * divergence, y_pred

    def _divergence(self, y, y_pred, other, sample_weight, logits):
        """Return the mean divergence, those of several outputs added."""
        outputs, others = keras.tree.flatten(y_pred), keras.tree.flatten(other)
        labels, weights = _aligned(y, y_pred), _aligned(sample_weight, y_pred)
        found = 0.0
        for output, second, label, weight in zip(outputs, others, labels, weights, strict=True):
            rows = _symmetric_divergence(_log_probabilities(output, logits), _log_probabilities(second, logits))
            weight = self._weight(rows, label, weight, getattr(output, "_keras_mask", None))
            found += tf.math.divide_no_nan(ops.sum(weight * rows), ops.sum(weight))
        return found

    def _weight(self, rows, label, weight, mask):
        """Return the weight of each row of predictions."""
        total = ops.ones_like(rows)
        if weight is not None:
            total *= _as_rows(ops.cast(weight, rows.dtype), rows)
        if mask is not None:
            total *= _as_rows(ops.cast(mask, rows.dtype), rows)
        if self.ignore_class is not None and label is not None and _is_integer_label(label, rows):
            total *= ops.cast(ops.not_equal(_as_rows(label, rows), self.ignore_class), rows.dtype)
        return total


def _log_probabilities(output, logits):
    """Return log probabilities in float32. One unit stands for two classes."""
    output = ops.cast(output, "float32")
    if output.shape[-1] == 1:
        output = ops.concatenate([ops.zeros_like(output) if logits else 1 - output, output], axis=-1)
    return ops.log_softmax(output, axis=-1) if logits else ops.log(ops.maximum(output, _SMALLEST))


def _symmetric_divergence(left, right):
    """Return (KL(p|q) + KL(q|p)) / 2 = sum (p - q)(log p - log q) / 2 over the last axis."""
    return ops.sum((ops.exp(left) - ops.exp(right)) * (left - right), axis=-1) / 2


def _aligned(values, outputs):
    """Return one value an output, in the order of the flattened outputs."""
    count = len(keras.tree.flatten(outputs))
    if isinstance(values, dict) and isinstance(outputs, dict):
        return [values.get(name) for name in sorted(outputs)]
    flat = keras.tree.flatten(values) if isinstance(values, (list, tuple)) else [values]
    return flat if len(flat) == count else [flat[0] if count == 1 else None] * count


def _is_integer_label(label, rows):
    rank = len(label.shape)
    return rank == len(rows.shape) or (rank == len(rows.shape) + 1 and label.shape[-1] == 1)


def _as_rows(values, rows):
    """Return `values` with the axes of `rows`, those it lacks at the end of size one."""
    missing = len(rows.shape) - len(values.shape)
    if missing < 0:
        return ops.squeeze(values, -1)
    return ops.reshape(values, (*ops.shape(values), *(1,) * missing)) if missing else values


def _loss_takes_logits(model):
    found = {_takes_logits(loss) for loss in keras.tree.flatten(model.loss) if loss is not None}
    if found not in ({True}, {False}):
        fail("from_logits", None, "True or False where the compiled loss does not tell", f"The loss is {model.loss!r}.")
    return found.pop()


def _takes_logits(loss):
    if isinstance(loss, str):
        return False
    known = getattr(loss, "from_logits", None)
    if known is None and isinstance(loss, keras.losses.Loss):
        known = loss.get_config().get("from_logits")
    return known
