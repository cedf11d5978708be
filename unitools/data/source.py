"""What a reader hands to `Batches`: how many examples there are, and how to load one."""

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf


@dataclass(frozen=True)
class Source:
    """Examples that can be loaded in any order, each by its index.

    Why: order, seeds, shards and resuming are the same for pictures, text and sound. A reader describes its examples
    by a `Source`, and `Batches` does the rest.

    Args:
        num_examples: Number of examples, >= 1.
        load: `load(index, seed)` gives one example, a structure of dense tensors. `index` is an int64 scalar, `seed` an
            int32 tensor (2,) that is its own for each (seed, epoch, example), or what `draw` made of it. It is traced
            into a graph and run in TensorFlow's threads. Where sizes differ from example to example, batches are padded
            with zeros.
        finish: `finish(batch, seeds)` takes a batch of what `load` gives, and the seeds (batch, 2), to the element that
            the consumer receives. Default: the batch as it is.
        names: String tensor (num_examples,) that names each example where loading fails. Default: the index.
        draw: `draw(seeds)` takes the seeds (n, 2) of several examples to what `load` gets of each, a structure of
            tensors with that leading axis: many small operations cost less for many examples at once. Default: the
            seeds as they are.

    Example:
    >>> import tensorflow as tf
    >>> from unitools.data import Batches, Source
    >>> squares = Source(5, load=lambda index, seed: index * index)
    >>> [batch.numpy().tolist() for batch in Batches(squares, 2, shuffle=False)]
    [[0, 1], [4, 9], [16]]
    """

    num_examples: int
    load: Callable
    finish: Callable | None = None
    names: tf.Tensor | None = None
    draw: Callable | None = None
