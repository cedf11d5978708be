"""A wall between two parts of an XLA program."""

import tensorflow as tf


def apart(function, stand_in, matrices):
    """Return `function()`, computed once and kept, before what uses it.

    On a CPU, XLA puts a result that another kernel gathers from into that kernel, and so computes it anew for each use.
    It does not do so across a condition. Two programs instead of one would cost a start more for each picture.

    Args:
        function: Gives a tensor.
        stand_in: Gives a tensor of the same shape and dtype, for maps that are not finite.
        matrices: float32 `(batch, 2, 3)`, not constant: the condition is that they are finite.
    """
    return tf.cond(tf.reduce_all(tf.math.is_finite(matrices)), function, stand_in)
