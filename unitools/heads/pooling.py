"""Pooling over all positions of a feature map or sequence, padding left out."""

from keras import ops


def as_sequence(features, mask=None):
    """Return features as (batch, positions, channels), and the mask as (batch, positions, 1) booleans or None."""
    if mask is not None:
        mask = ops.cast(ops.reshape(mask, (-1, _positions(features), 1)), "bool")
    return ops.reshape(features, (-1, _positions(features), features.shape[-1])), mask


def average(features, mask=None):
    """Return the mean over the positions that count, and zeros where none does."""
    # In float32: a sum over many positions leaves the range of float16.
    summands = ops.cast(features, "float32") if features.dtype in ("float16", "bfloat16") else features
    if mask is None:
        return ops.cast(ops.mean(summands, axis=1), features.dtype)
    total = ops.sum(ops.where(mask, summands, 0), axis=1)
    return ops.cast(total / ops.maximum(ops.sum(ops.cast(mask, total.dtype), axis=1), 1), features.dtype)


def maximum(features, mask=None):
    """Return the maximum over the positions that count, and zeros where none does."""
    if mask is None:
        return ops.max(features, axis=1)
    largest = ops.max(ops.where(mask, features, -float("inf")), axis=1)
    return ops.where(ops.any(mask, axis=1), largest, 0)


def attention(features, scores, mask=None):
    """Return the mean weighted by the softmax of `scores` (batch, positions, 1), and zeros where no position counts."""
    scores = ops.cast(scores, "float32")
    if mask is None:
        weights = ops.softmax(scores, axis=1)
    else:
        scores = ops.where(mask, scores, -1e9)  # finite: a row without any position would give NaN
        weights = ops.where(mask, ops.softmax(scores, axis=1), 0.0)
        features = ops.where(mask, features, 0)  # padding may hold inf or NaN, and 0 times those is NaN
    return ops.sum(ops.cast(weights, features.dtype) * features, axis=1)


def _positions(features):
    """Return the number of positions, static if every axis is."""
    count = 1
    for static, dynamic in zip(features.shape[1:-1], ops.shape(features)[1:-1], strict=True):
        count = count * (dynamic if static is None else static)
    return count
