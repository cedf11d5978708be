"""Beta distributed numbers from uniform ones."""

import numpy as np
import tensorflow as tf

_CELLS = 4096
_POINTS = 65536


class BetaQuantiles:
    """Turns uniform numbers into symmetric Beta(alpha, alpha) ones, by a table of the quantile function.

    Why: the usual samplers of gamma or beta numbers reject and draw again, so they need a generator with a state.
    A table gives one number for one uniform number, the same everywhere.

    Args:
        alpha: Shape of the distribution, from 0.01 to 100.

    Example:
    >>> import tensorflow as tf
    >>> from unitools.data.image.beta_quantiles import BetaQuantiles
    >>> BetaQuantiles(1.0)(tf.constant([0.25, 0.5])).numpy().round(3).tolist()
    [0.25, 0.5]
    """

    def __init__(self, alpha: float):
        # With x = v^(1/power) / 2 the density of v is finite and smooth on [0, 1], below alpha = 1 too.
        power = min(alpha, 1.0)
        v = (np.arange(_POINTS) + 0.5) / _POINTS
        x = v ** (1.0 / power) / 2.0
        # The logarithm keeps alpha = 100 from underflow.
        log_density = (alpha - power) * np.log(np.maximum(x, 1e-300)) + (alpha - 1.0) * np.log1p(-x)
        cumulative = np.concatenate([[0.0], np.cumsum(np.exp(log_density - log_density.max()))])
        shares = np.linspace(0.0, 1.0, _CELLS + 1)
        table = np.interp(shares, cumulative / cumulative[-1], np.arange(_POINTS + 1) / _POINTS)
        self._power = power
        self._table = table.astype("float32")

    def __call__(self, units):
        """Return the quantiles of numbers in [0, 1)."""
        lower = units < 0.5
        place = tf.where(lower, units, 1.0 - units) * (2.0 * _CELLS)
        cell = tf.minimum(tf.cast(place, tf.int32), _CELLS - 1)
        table = tf.constant(self._table)
        near, far = tf.gather(table, cell), tf.gather(table, cell + 1)
        v = near + (far - near) * (place - tf.cast(cell, tf.float32))
        x = tf.pow(v, 1.0 / self._power) / 2.0
        return tf.where(lower, x, 1.0 - x)
