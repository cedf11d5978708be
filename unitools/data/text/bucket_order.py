"""Batches of examples of similar length as arithmetic on (seed, epoch, step)."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import tensorflow as tf

from unitools.data.text.bucket_plan import plan_buckets, plan_in_order


@dataclass(frozen=True)
class BucketOrder:
    """Which examples are in which batch of an epoch, and how long the batch is.

    Why: where examples of similar length are together, little is padding; where each length has its place in a list of
    few, there are few shapes to compile. Nothing is stored but a list of the batches, the same for every epoch: each
    bucket has a permutation of its own in each epoch, evaluated at the places of one batch, and so have the batches.
    So going to a step costs nothing.

    What does not fill a batch moves to the next longer bucket. Only the longest may have a smaller batch.

    Args:
        lengths: Number of tokens of each example.
        batch_size: Examples a batch, or tokens a batch, padding included.
        unit: "sentences" or "tokens".
        boundaries: Lengths that batches are padded to, ascending; the last is no less than the longest example.
        shuffle: Whether to form buckets and permute; otherwise the order is 0, 1, 2, ...
        seed: Integer from 0 to 2^31 - 1.
        drop_remainder: Whether the one batch that is not full is left out.
        shard_index: This shard.
        shard_count: Number of shards. All have the same number of batches, and their n-th batches the same length.
    """

    lengths: np.ndarray = field(compare=False)
    batch_size: int
    unit: str
    boundaries: tuple
    shuffle: bool
    seed: int
    drop_remainder: bool
    shard_index: int = 0
    shard_count: int = 1

    @cached_property
    def plan(self):
        """The batches of an epoch, a `BucketPlan`."""
        make = plan_buckets if self.shuffle else plan_in_order
        return make(self.lengths, self.boundaries, self.batch_size, self.unit, self.shard_count, self.drop_remainder)

    @property
    def num_examples(self) -> int:
        """Number of examples over all shards."""
        return len(self.lengths)

    @property
    def num_steps(self) -> int:
        """Batches an epoch, the same in every shard."""
        return len(self.plan.batches)

    @property
    def padding_share(self) -> float:
        """Share of padding among the tokens of an epoch without shards in which nothing is left out."""
        batches = replace(self, drop_remainder=False, shard_index=0, shard_count=1).plan.batches
        return float(1 - np.sum(self.lengths) / np.sum(batches[:, 2] * batches[:, 3]))

    def batch(self, epoch, step):
        """Return (indices of the examples, padded length) of a batch; `epoch` and `step` are int64 tensors."""
        keys = self._keys(epoch)
        if self.shuffle:
            step = tf.random.experimental.index_shuffle(step, keys[0], tf.constant(self.num_steps - 1, tf.int64))
        bucket, first, size, length = tf.unstack(tf.constant(self.plan.batches, tf.int64)[step])
        places = tf.range(first + self.shard_index, first + size, self.shard_count)
        return self._examples(bucket, places, keys[1:]), length

    def _examples(self, bucket, places, keys):
        """Return the examples at places of a bucket's pool, which begins with what the bucket below passed on."""
        if not self.shuffle:
            return places
        plan, members = self.plan, tf.constant(self.plan.members, tf.int64)
        examples, buckets = tf.zeros_like(places), tf.fill(tf.shape(places), bucket)
        for level in reversed(range(len(plan.pools))):
            here = buckets == level
            last = tf.constant(plan.pools[level] - 1, tf.int64)
            drawn = tf.random.experimental.index_shuffle(tf.minimum(places, last), keys[level], last)
            own = drawn - plan.passed_on[level]
            index = tf.gather(members, plan.first_members[level] + tf.maximum(own, 0))
            examples = tf.where(here & (own >= 0), index, examples)
            below = here & (own < 0)
            places = tf.where(below, plan.used[level - 1] + drawn, places) if level else places
            buckets = tf.where(below, buckets - 1, buckets)
        return examples

    def _keys(self, epoch):
        """Return 64 random bits for the batches, and for each bucket, that belong to (seed, epoch)."""
        key = tf.stack([tf.constant(self.seed, tf.int32), tf.cast(epoch, tf.int32)])
        shape = [1 + len(self.plan.pools), 2]
        return tf.random.stateless_uniform(shape, key, minval=None, maxval=None, dtype=tf.int32)
