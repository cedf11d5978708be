"""Random numbers as a function of a key: no state, no order, the same in eager mode, graphs and XLA."""

import numpy as np
import tensorflow as tf

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA


def threefry(keys, counters):
    """Return Threefry-2x32 with 20 rounds of 64-bit counters under 64-bit keys.

    Why: TensorFlow's stateless generators take one seed a call. Augmentation needs one seed an example, for a whole
    batch in one kernel.

    Args:
        keys: Pair of uint32 tensors.
        counters: Pair of uint32 tensors that broadcast against the keys.

    Returns:
        A pair of uint32 tensors, uniformly distributed bits.

    Source: Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3. SC 2011.
    """
    schedule = (*keys, tf.bitwise.bitwise_xor(tf.bitwise.bitwise_xor(*keys), tf.constant(_PARITY, tf.uint32)))
    x, y = counters[0] + schedule[0], counters[1] + schedule[1]
    for group in range(5):
        for rotation in _ROTATIONS[group % 2]:
            x = x + y
            y = tf.bitwise.bitwise_xor(x, _rotated(y, rotation))
        x = x + schedule[(group + 1) % 3]
        y = y + schedule[(group + 2) % 3] + tf.constant(group + 1, tf.uint32)
    return x, y


def _rotated(bits, count):
    left = tf.bitwise.left_shift(bits, tf.constant(count, tf.uint32))
    return tf.bitwise.bitwise_or(left, tf.bitwise.right_shift(bits, tf.constant(32 - count, tf.uint32)))


def _bits(seeds, count):
    seeds = tf.cast(seeds, tf.uint32)
    keys = (seeds[..., 0, None], seeds[..., 1, None])
    counter = tf.constant(np.arange(count), tf.uint32)
    return threefry(keys, (counter, tf.zeros_like(counter)))


def uniform(seeds, count, low=0.0, high=1.0):
    """Return `count` uniform numbers in [low, high) for each seed.

    Args:
        seeds: Integer tensor `(..., 2)`, one seed an example.
        count: How many numbers a seed.
        low: Lower end, a number.
        high: Upper end, a number.

    Returns:
        A float32 tensor `(..., count)`, with 2^24 possible values.
    """
    bits, _ = _bits(seeds, count)
    unit = tf.cast(tf.bitwise.right_shift(bits, tf.constant(8, tf.uint32)), tf.float32) * 2.0**-24
    return low + unit * (high - low)


def fold_in(seeds, data):
    """Return new seeds that depend on `seeds` `(..., 2)` and on an integer or an integer tensor `(...)`."""
    seeds = tf.cast(seeds, tf.uint32)
    data = tf.cast(data, tf.uint32)
    folded = threefry((seeds[..., 0], seeds[..., 1]), (data, tf.ones_like(data)))
    return tf.bitcast(tf.stack(folded, axis=-1), tf.int32)
