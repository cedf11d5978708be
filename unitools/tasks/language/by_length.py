"""Rows of different length through a model, those of similar length together."""

from collections.abc import Callable, Sequence

import tensorflow as tf


def run_by_length(
    function: Callable, lengths: tf.Tensor, group_size: int, outputs: Sequence[tf.TensorSpec]
) -> list[tf.Tensor]:
    """Call `function` on groups of rows of similar length, and return its results one after the other.

    Why: a batch is padded to its longest row. Where rows come in any order, more than half of what a model computes is
    padding; and one long text among a thousand would pad them all.

    Args:
        function: Takes the numbers of some rows, int32 `(group,)`, to tensors whose first axis is its own affair.
        lengths: Length of each row `(rows,)`.
        group_size: Rows a call, at most.
        outputs: Shape and dtype of each tensor that `function` returns, the first axis None.

    Returns:
        The tensors of all groups, joined along the first axis, in the order in which the groups were run.
    """
    order = tf.cast(tf.argsort(lengths), tf.int32)
    count = tf.size(order)
    arrays = [
        tf.TensorArray(spec.dtype, 1, dynamic_size=True, element_shape=spec.shape, infer_shape=False).write(
            0, tf.zeros([0, *spec.shape[1:]], spec.dtype)
        )
        for spec in outputs
    ]

    def body(number, arrays):
        results = function(order[number * group_size : (number + 1) * group_size])
        written = [array.write(number + 1, result) for array, result in zip(arrays, results, strict=True)]
        return number + 1, written

    _, arrays = tf.while_loop(
        lambda number, arrays: number * group_size < count, body, (0, arrays), parallel_iterations=1
    )
    return [array.concat() for array in arrays]
