"""Functions of the encoder whose gradients are written out: derived step by step they are many more operations."""

import math

import keras
from keras import ops


def dropped(values, rate, seed):
    """Return the values with a share of them set to 0 and the rest scaled up."""
    mask = _mask(values, rate, seed)

    @ops.custom_gradient
    def drop(values):
        return values * mask, lambda upstream: upstream * mask

    return drop(values)


def added(values, update, rate, seed):
    """Return the sum of values and update, a share of the update dropped."""
    mask = _mask(update, rate, seed)

    @ops.custom_gradient
    def add(values, update):
        return values + update * mask, lambda upstream: (upstream, upstream * mask)

    return add(values, update)


def gelu(values):
    """Return the exact GELU: each value times the standard normal distribution function at it."""

    @ops.custom_gradient
    def function(values):
        share = 0.5 * (1.0 + ops.erf(values * math.sqrt(0.5)))

        def gradient(upstream):
            density = ops.exp(-0.5 * ops.square(values)) * (1 / math.sqrt(2 * math.pi))
            return upstream * (share + values * density)

        return values * share, gradient

    return function(values)


def _mask(values, rate, seed):
    """Return 0 for the places to drop, and for the others what keeps the mean."""
    draws = keras.random.uniform(ops.shape(values), seed=seed)
    return ops.cast(draws >= rate, values.dtype) * (1 / (1 - rate))
