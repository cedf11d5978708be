"""How much a batch counts: what the mean of its loss was divided by."""

import keras
import tensorflow as tf
from keras.src.losses.loss import apply_mask, squeeze_or_expand_to_same_rank  # what Keras' means are made of

from unitools.core.checks import fail

_ADVICE = "Override `weight` in a subclass of Loop, and say there how much a batch counts."
_MEANS = ("sum_over_batch_size", "mean", "mean_with_sample_weight")


def loss_weight(model, x, y, y_pred, sample_weight):
    """Return the divisor of the model's compiled loss over this batch, after that loss has been computed.

    Args:
        model: The compiled model.
        x: Inputs.
        y: Labels.
        y_pred: Predictions.
        sample_weight: Weights, or None.

    Raises:
        ValueError: The loss is no mean, or there are several that need not divide by the same.
    """
    losses = _losses(model)
    if len(losses) == 1:
        path, loss = losses[0]
        return _divisor(loss, _at(path, y), _at(path, y_pred), _at(path, sample_weight))
    for path, loss in losses:
        if hasattr(loss, "sums") or loss.reduction != "sum_over_batch_size" or _mask(_at(path, y_pred)) is not None:
            names = [loss.name for _, loss in losses]
            fail("loss", names, "one loss, or means over as many values for each example", _ADVICE)
    return num_examples(x)


def num_examples(x):
    """Return the size of the batch."""
    return tf.shape(next(leaf for leaf in keras.tree.flatten(x) if leaf is not None))[0]


def _losses(model):
    """Return (path into the outputs, loss) of each loss that `compile` was given."""
    compiled = model._compile_loss
    return [] if compiled is None else [(loss.path, loss.loss) for loss in compiled._flat_losses]


def _at(path, structure):
    for key in path:
        if not isinstance(structure, (dict, list, tuple)):
            break
        structure = structure[key]
    return structure


def _divisor(loss, y, y_pred, sample_weight):
    if getattr(loss, "reduction", None) not in _MEANS:
        reduction = getattr(loss, "reduction", None)
        fail("loss", f"{loss.name}, reduction={reduction!r}", "a mean, to weigh micro-batches or replicas", _ADVICE)
    if hasattr(loss, "sums"):
        return loss.sums(y, y_pred, sample_weight)[1]
    # The values are those of the loss itself: TensorFlow computes them once.
    values = loss.call(tf.cast(y, loss.dtype), tf.cast(y_pred, loss.dtype))
    number, mask = tf.cast(tf.size(values), loss.dtype), _both(_mask(y_pred), _mask(values))
    if loss.reduction != "mean_with_sample_weight":
        return number if mask is None else number * tf.reduce_mean(tf.cast(mask, loss.dtype))
    weights = apply_mask(sample_weight, mask, loss.dtype, loss.reduction)
    if weights is None:
        return number
    return tf.reduce_sum(squeeze_or_expand_to_same_rank(values, tf.cast(weights, loss.dtype))[1])


def _both(mask, other):
    return mask if other is None else other if mask is None else mask & other


def _mask(y_pred):
    return getattr(y_pred, "_keras_mask", None)
