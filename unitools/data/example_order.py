"""The order of examples as arithmetic on (seed, epoch, position)."""

from dataclasses import dataclass

import tensorflow as tf


@dataclass(frozen=True)
class ExampleOrder:
    """Which example stands at which position of an epoch, and where each batch begins.

    Why: where the order is a function of three integers, going to a position costs nothing, a run resumes exactly, and
    workers agree on the order without talking to each other. Nothing is stored: a permutation of `num_examples` is
    evaluated at one position at a time.

    A shard takes every `shard_count`-th position, from `shard_index`. All shards have the same number of batches: with
    `drop_remainder` the surplus is left out; without it, a shard that would run out one batch before the others (it
    holds one example less) gives the last example of its last full batch to one more batch.

    Args:
        num_examples: Number of examples over all shards, >= 1.
        batch_size: Examples a batch, >= 1.
        shuffle: Whether each epoch has a permutation of its own; otherwise the order is 0, 1, 2, ...
        seed: Integer from 0 to 2^31 - 1.
        drop_remainder: Whether examples that do not fill a batch are left out.
        shard_index: This shard, from 0 to `shard_count` - 1.
        shard_count: Number of shards, >= 1.

    Example:
    >>> from unitools.data.example_order import ExampleOrder
    >>> order = ExampleOrder(10, batch_size=4, shuffle=True, seed=1, drop_remainder=False)
    >>> order.num_steps, sorted(int(order.example(epoch=0, position=position)) for position in range(10))
    (3, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """

    num_examples: int
    batch_size: int
    shuffle: bool
    seed: int
    drop_remainder: bool
    shard_index: int = 0
    shard_count: int = 1

    @property
    def num_steps(self) -> int:
        """Batches an epoch, the same in every shard."""
        if self.drop_remainder:
            return self.num_examples // (self.shard_count * self.batch_size)
        largest_shard = -(-self.num_examples // self.shard_count)
        return -(-largest_shard // self.batch_size)

    @property
    def size(self) -> int:
        """Examples an epoch in this shard."""
        if self.drop_remainder:
            return self.num_steps * self.batch_size
        return -(-(self.num_examples - self.shard_index) // self.shard_count)

    @property
    def lends(self) -> bool:
        """Whether the last full batch gives an example to one more batch."""
        return self.size == (self.num_steps - 1) * self.batch_size

    @property
    def parts(self) -> list:
        """Stretches (first position, end, batch size) of the epoch; one, except where an example is lent."""
        if not self.lends:
            return [(0, self.size, self.batch_size)]
        full, last = self.size - self.batch_size, self.size - 1
        return [(0, full, self.batch_size), (full, last, self.batch_size - 1), (last, self.size, 1)]

    def first_position(self, step):
        """Return the position at which a batch begins; `step` is an int64 tensor."""
        return tf.minimum(step * self.batch_size, self.size - int(self.lends))

    def end_position(self, step):
        """Return the position after a batch's last."""
        return tf.where(step + 1 < self.num_steps, self.first_position(step + 1), tf.cast(self.size, tf.int64))

    def step(self, position):
        """Return the batch that begins at a position."""
        lent = tf.logical_and(self.lends, position == self.size - 1)
        return tf.where(lent, tf.cast(self.num_steps - 1, tf.int64), position // self.batch_size)

    def example(self, epoch, position):
        """Return the index of the example at a position of this shard, or at each of several."""
        index = tf.cast(position, tf.int64) * self.shard_count + self.shard_index
        if not self.shuffle:
            return index
        # Keys that count up (seed, epoch) make index_shuffle prefer some places: chi-square 50 times its expectation.
        key = self._epoch_bits(epoch)
        return tf.random.experimental.index_shuffle(index, key, tf.constant(self.num_examples - 1, tf.int64))

    def example_seeds(self, epoch, examples):
        """Return the int32 seeds (n, 2) that belong to examples (n,) in an epoch: the epoch's own number, the index."""
        examples = tf.cast(examples, tf.int32)
        return tf.stack([tf.fill(tf.shape(examples), self._epoch_bits(epoch)[0]), examples], axis=1)

    def _epoch_bits(self, epoch):
        """Return 64 random bits that belong to (seed, epoch), as int32 (2,)."""
        key = tf.stack([tf.constant(self.seed, tf.int32), tf.cast(epoch, tf.int32)])
        return tf.random.stateless_uniform([2], key, minval=None, maxval=None, dtype=tf.int32)
