"""Batches that know where they are."""

import dataclasses
import hashlib
import os
import random

import tensorflow as tf

from unitools.core.checks import check_flag, check_integer, fail
from unitools.data.batch_pipeline import build_pipeline, new_position
from unitools.data.example_order import ExampleOrder
from unitools.data.source import Source


class Batches(tf.data.Dataset):
    """A `tf.data.Dataset` of batches whose order is a function of (seed, epoch, step).

    Why: a run that stops in the middle of an epoch goes on with exactly the batches, and exactly the augmentation, that
    it would have had; workers read disjoint parts of one order. Use it as any `tf.data.Dataset`: iterate over it, give
    it to `fit`, apply `map` or `repeat`.

    The position counts what the consumer drew, not what was prefetched. A pass that reaches its end moves on to the
    next epoch, with a new order; an iterator left in the middle does not: the next one begins where that one began.
    Every complete pass counts as an epoch, one of `evaluate` or `predict` too. Transformations applied to the result
    (`prefetch` above all) draw ahead of the consumer, and the position counts what they drew.

    Args:
        source: The examples, a `unitools.data.Source`.
        batch_size: Examples a batch, >= 1.
        shuffle: Whether each epoch has an order of its own. Default True.
        seed: Integer from 0 to 2^31 - 1 that fixes order and augmentation. Default: drawn from Python's `random`, so
            that `keras.utils.set_random_seed` governs it. Give one if the run is to be resumed in another process.
        drop_remainder: Whether examples that do not fill the last batch are left out of an epoch. Default False.

    Raises:
        ValueError: An argument is out of range, or there are fewer examples than one batch takes.
        tf.errors.InvalidArgumentError: While iterating: an example could not be loaded. The message names it.

    Example:
    >>> from unitools.data import Batches, Source
    >>> numbers = Batches(Source(10, load=lambda index, seed: index), 4, seed=1)
    >>> len(numbers), sorted(int(number) for batch in numbers for number in batch)
    (3, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    >>> numbers.state_dict()
    {'epoch': 1, 'step': 0}
    """

    def __init__(
        self,
        source: Source,
        batch_size: int,
        *,
        shuffle: bool = True,
        seed: int | None = None,
        drop_remainder: bool = False,
    ):
        check_integer("batch_size", batch_size, 1)
        check_flag("shuffle", shuffle)
        check_flag("drop_remainder", drop_remainder)
        seed = random.randrange(2**31) if seed is None else check_integer("seed", seed, 0, 2**31 - 1)
        self._open(source, ExampleOrder(source.num_examples, batch_size, shuffle, seed, drop_remainder))

    def _open(self, source, order):
        _check_order(order)
        self._source, self._order = source, order
        self._position = new_position()
        self._pipeline = build_pipeline(source, order, self._position)
        super().__init__(tf.data.experimental.to_variant(self._pipeline))

    def _inputs(self):
        return [self._pipeline]

    @property
    def element_spec(self):
        """The type of a batch."""
        return self._pipeline.element_spec

    @property
    def seed(self) -> int:
        """The seed of the order."""
        return self._order.seed

    @property
    def batch_size(self) -> int:
        """Examples a batch."""
        return self._order.batch_size

    def __len__(self):
        return self._order.num_steps

    def cardinality(self):
        """Return the number of batches of a whole epoch."""
        return tf.constant(len(self), tf.int64)

    def state_dict(self) -> dict:
        """Return the position: `{"epoch": int, "step": int}`, the batch that comes next."""
        epoch, step, _ = self._position.numpy()
        return {"epoch": int(epoch), "step": int(step)}

    def load_state_dict(self, state: dict):
        """Go to a position. The next iterator begins there, and the epoch ends where it always does.

        Args:
            state: What `state_dict` gave, for the same examples, batch size and seed.

        Raises:
            ValueError: `state` is no such dictionary, or its step lies beyond the epoch.
        """
        if not isinstance(state, dict) or set(state) != {"epoch", "step"}:
            fail("state", state, "a dictionary with the keys 'epoch' and 'step'", "Give what `state_dict()` returned.")
        advice = f"An epoch has {len(self)} steps: was the state saved with other data or another batch size?"
        epoch = check_integer("epoch", state["epoch"], 0)
        step = check_integer("step", state["step"], 0, len(self) - 1, advice=advice)
        self._position.assign([epoch, step, step])

    def identity(self) -> dict:
        """Return what tells these batches from others, as JSON holds it: examples, order, type of a batch.

        What is done to an example does not count, and neither does which shard this is.
        """
        order = {field.name: getattr(self._order, field.name) for field in dataclasses.fields(self._order)}
        order = {name: value for name, value in order.items() if name not in ("shard_index", "lengths")}
        order = {name: list(value) if isinstance(value, tuple) else value for name, value in order.items()}
        own = {"class": type(self).__name__, "num_steps": len(self), "elements": str(self.element_spec)}
        return order | own | self._content()

    def _content(self):
        """Return a digest of what the examples are, as far as it is known without loading them."""
        if self._source.names is None:
            return {}
        names = self._source.names.numpy().tolist()
        start = len(os.path.commonprefix(names))  # the same files in another place are the same
        return {"names": hashlib.sha256(b"\n".join(name[start:] for name in names)).hexdigest()}

    def shard(self, index: int, count: int) -> "Batches":
        """Return one of `count` disjoint parts of the same order, which together hold every example.

        Each part takes every `count`-th example of the order and has the same number of batches, of `batch_size`
        examples each; so the n-th batches of all parts are a batch of `count * batch_size` of the whole. With
        `drop_remainder` the surplus is left out; otherwise the last batches are smaller, and where the examples do not
        reach for another batch in every part, a part short of one takes it from its last full batch.

        Args:
            index: Which part, from 0 to `count` - 1. (`tf.data.Dataset.shard` has the two the other way round.)
            count: Number of parts, >= 1.

        Raises:
            ValueError: `index` or `count` is out of range, or there are too few examples for so many parts.
        """
        check_integer("count", count, 1)
        check_integer("index", index, 0, count - 1, advice="The order is shard(index, count).")
        order = self._order
        part = dataclasses.replace(
            order, shard_index=order.shard_index + order.shard_count * index, shard_count=order.shard_count * count
        )
        shard = type(self).__new__(type(self))
        shard._open(self._source, part)
        shard._position.assign(self._position)
        return shard


def _check_order(order):
    """Raise unless every shard can have the same number of batches, none of them empty."""
    if order.num_steps < 1:
        needed = order.batch_size * order.shard_count
        fail(
            "batch_size",
            order.batch_size,
            f"such that {order.num_examples} examples fill a batch",
            f"With drop_remainder=True an epoch needs at least {needed}. Use a smaller batch or drop_remainder=False.",
        )
    shortest = order.num_examples // order.shard_count
    if not order.drop_remainder and shortest < order.num_steps:
        fail(
            "count",
            order.shard_count,
            f"such that {order.num_examples} examples give each part {order.num_steps} batches",
            "Use fewer parts, a larger batch, or drop_remainder=True.",
        )
