"""One optimizer step with a mean over micro-batches and replicas."""

import contextlib

import tensorflow as tf


def apply_mean(model, sums, weight):
    """Step by a mean over all replicas. In a replica, under `summed_once`.

    Args:
        model: The compiled model.
        sums: For each trainable weight the sum of weighted gradients in this replica, or None.
        weight: Sum of the weights in this replica.
    """
    pairs = [pair for pair in zip(sums, model.trainable_weights, strict=True) if pair[0] is not None]
    totals = [total for total, _ in pairs] + [tf.cast(weight, "float32")]
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync > 1:
        totals = context.all_reduce(tf.distribute.ReduceOp.SUM, totals)
    # Keras' losses divide by the number of replicas, as if the sum of the replicas' means were wanted.
    means = [tf.math.divide_no_nan(total, totals[-1]) * context.num_replicas_in_sync for total in totals[:-1]]
    model.optimizer.apply_gradients(
        [(tf.cast(mean, variable.dtype), variable) for mean, (_, variable) in zip(means, pairs, strict=True)]
    )


def weighted(gradients, weight):
    """Return gradients times the weight of their batch, dense and in float32. None stays None."""
    return [None if gradient is None else _dense(gradient) * tf.cast(weight, "float32") for gradient in gradients]


def _dense(gradient):
    """Rows that occur several times in a sparse gradient are added up."""
    if isinstance(gradient, tf.IndexedSlices):
        gradient = tf.math.unsorted_segment_sum(gradient.values, gradient.indices, gradient.dense_shape[0])
    return tf.cast(gradient, "float32")


@contextlib.contextmanager
def summed_once(model):
    """Let the optimizer take gradients that are the same in all replicas, as they are, and so clip the whole.

    Keras clips each replica's gradients, then adds them up.
    """
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if model.distribute_strategy.num_replicas_in_sync == 1:
        yield
        return
    optimizer.__dict__["_all_reduce_sum_gradients"] = list
    try:
        yield
    finally:
        optimizer.__dict__.pop("_all_reduce_sum_gradients", None)
