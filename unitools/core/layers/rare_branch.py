"""Branches that are hardly ever taken."""

import functools

import tensorflow as tf


def rare_branch(function):
    """Return `function`, kept out of line in graphs: as a branch of `tf.cond` it costs nothing while it is not taken.

    TensorFlow merges small functions into the graph around them and visits each of their operations even where the
    other branch runs: for the rare formats of pictures that was 0.025 of 0.35 ms a picture. Run eagerly, the function
    is called as it is, so that errors keep their words.

    Args:
        function: Takes and returns tensors.
    """
    apart = tf.function(function, autograph=False, experimental_attributes={"_noinline": True})

    @functools.wraps(function)
    def call(*tensors):
        return function(*tensors) if tf.executing_eagerly() else apart(*tensors)

    return call
