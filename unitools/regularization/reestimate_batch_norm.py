"""Batch norm statistics for weights that were not trained with them."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from unitools.core.checks import fail
from unitools.regularization.extra_pass import extra_pass, noise_state


def reestimate_batch_norm(model: keras.Model, data: Iterable) -> list[str]:
    """Set each batch norm's mean and variance to those that the data have with the model's present weights.

    Why: averaged weights, or weights set by hand, do not fit statistics that moved along with others.

    The model runs over the data in training mode, dropout on, and nothing but these statistics changes. Those of a
    batch norm are the mean and variance over all examples of what it is given, where batch norms before it use the
    batch. Frozen batch norms stay as they are. For one that is called several times in a pass the last call counts.

    Args:
        model: The model.
        data: Batches as `fit` takes them: inputs, or tuples with labels. Some 1,000 examples do.

    Returns:
        Names of the batch norms that were set.

    Raises:
        ValueError: `data` is an array or holds no batch.

    Example:
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.BatchNormalization(name="norm")])
    >>> ut.regularization.reestimate_batch_norm(model, [np.array([[1.0], [3.0]]), np.array([[5.0], [7.0]])])
    ['norm']
    >>> model.layers[0].moving_mean.numpy(), model.layers[0].moving_variance.numpy()
    (array([4.], dtype=float32), array([5.], dtype=float32))

    Source:
        Izmailov et al. 2018, https://arxiv.org/abs/1803.05407, section 3.2. The variance is that of all examples
        together, the spread between batches included.
    """
    norms = moving_batch_norms(model)
    if not norms:
        return []
    if isinstance(data, (np.ndarray, tf.Tensor)) or not isinstance(data, Iterable):
        fail("data", type(data).__name__, "batches, such as a tf.data.Dataset or a list", "Cut arrays into batches.")
    for norm, (mean, variance) in zip(norms, _whole(_by_batch(model, norms, data)), strict=True):
        norm.moving_mean.assign(mean)
        norm.moving_variance.assign(variance)
    return [norm.name for norm in norms]


def moving_batch_norms(model: keras.Model) -> list:
    """Return the batch norms of a model whose statistics move in training."""
    layers = model._flatten_layers()
    return [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable]


def _by_batch(model, norms, data):
    """Yield (number of examples, [(mean, variance) of each batch norm]) of each batch."""

    @tf.function(reduce_retracing=True)
    def statistics(x):
        return _batch_statistics(model, norms, x)

    for batch in data:
        x, _, _ = keras.utils.unpack_x_y_sample_weight(batch)
        yield len(keras.tree.flatten(x)[0]), [[np.asarray(part, "float64") for part in pair] for pair in statistics(x)]


def _batch_statistics(model, norms, x):
    momenta = [norm.momentum for norm in norms]
    try:
        for norm in norms:
            norm.momentum = 0.0  # What the moving statistics become is then the batch's.
        with extra_pass(model, noise=noise_state(model)) as scope:
            model(x, training=True)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
    return [[_became(scope, v) for v in (norm.moving_mean, norm.moving_variance)] for norm in norms]


def _became(scope: Any, variable: Any) -> Any:
    value = scope.get_current_value(variable)
    return tf.convert_to_tensor(variable.value) if value is None else value


def _whole(batches):
    """Return the mean and variance over all batches, of each batch norm."""
    total, firsts, seconds = 0, 0.0, 0.0
    for size, pairs in batches:
        total += size
        firsts = [size * mean + first for (mean, _), first in zip(pairs, _each(firsts, pairs), strict=True)]
        seconds = [size * (v + m**2) + second for (m, v), second in zip(pairs, _each(seconds, pairs), strict=True)]
    if not total:
        fail("data", "no batch", "one batch or more", "A generator gives its batches only once: use a Dataset.")
    means = [first / total for first in firsts]
    return [(m, np.maximum(second / total - m**2, 0)) for m, second in zip(means, seconds, strict=True)]


def _each(sums, pairs):
    return sums if isinstance(sums, list) else [sums] * len(pairs)
