"""Labels and predictions as tag numbers, and the positions that count."""

import tensorflow as tf

from unitools.core.checks import fail
from unitools.core.layers.best_paths import best_paths


def predicted_tags(y_true, y_pred):
    """Return labels and predicted tags as integers of one shape.

    Predictions with one axis more than the labels are scores of the tags. With two more they are a CRF's potentials,
    and the best path is taken.
    """
    labels, predictions = tf.convert_to_tensor(y_true), tf.convert_to_tensor(y_pred)
    if labels.shape.rank == predictions.shape.rank and labels.shape[-1] == 1 != predictions.shape[-1]:
        labels = tf.squeeze(labels, axis=-1)
    extra = predictions.shape.rank - labels.shape.rank
    if extra == 1:
        predictions = tf.argmax(predictions, axis=-1, output_type=tf.int32)
    elif extra == 2 and predictions.shape.rank == 4:
        predictions = best_paths(tf.cast(predictions, tf.float32))[0][:, 0]
    elif extra or predictions.dtype.is_floating:
        fail("y_pred", tuple(predictions.shape), f"tag numbers of shape {tuple(labels.shape)}, or scores with an axis "
             "of tags behind it", "Give the labels as integers, one a position.")  # fmt: skip
    predictions = tf.cast(predictions, tf.int32)
    return tf.cast(labels, tf.int32), tf.ensure_shape(predictions, labels.shape)


def counted_positions(labels, y_pred, ignore_class, sample_weight):
    """Return True where a position counts: not ignored, not masked, not of weight 0."""
    counted = tf.ones_like(labels, tf.bool) if ignore_class is None else labels != ignore_class
    mask = getattr(y_pred, "_keras_mask", None)
    for weight in (mask, sample_weight):
        if weight is not None:
            counted &= _over_positions(tf.cast(weight, tf.float32) != 0, counted)
    return counted


def _over_positions(weight, positions):
    if weight.shape.rank == positions.shape.rank + 1:
        weight = tf.squeeze(weight, axis=-1)
    while weight.shape.rank < positions.shape.rank:
        weight = weight[..., None]
    return tf.broadcast_to(weight, tf.shape(positions))
