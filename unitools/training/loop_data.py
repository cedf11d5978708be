"""Passes of a loop through its data."""

import tensorflow as tf

from unitools.core.checks import check_integer, fail

_ADVICE = "Arrays: tf.data.Dataset.from_tensor_slices((x, y)).batch(32), with .shuffle(len(x)) before .batch."


class LoopData:
    """Gives an iterator for each epoch, from a step on, over batches for all replicas.

    Args:
        data: A `tf.data.Dataset`, or a distributed one.
        strategy: The strategy that trains.
        steps_per_epoch: Batches an epoch, or None for as many as there are. Where given, an epoch goes on where the one
            before has stopped, and data that end begin again.
    """

    def __init__(self, data, strategy, steps_per_epoch=None):
        if not isinstance(data, (tf.data.Dataset, tf.distribute.DistributedDataset)):
            fail("data", type(data).__name__, "a tf.data.Dataset of batches", _ADVICE)
        self.given, self._steps = data, steps_per_epoch
        cardinality = _cardinality(data)
        self.num_batches = cardinality if cardinality >= 0 else None
        self.num_steps = self.num_batches if steps_per_epoch is None else steps_per_epoch
        if steps_per_epoch is not None:
            check_integer("steps_per_epoch", steps_per_epoch, 1)
        elif cardinality == tf.data.INFINITE_CARDINALITY:
            fail("steps_per_epoch", None, "given for data that never end", "Say how many batches make an epoch.")
        is_distributed = isinstance(data, tf.distribute.DistributedDataset)
        self.distributed = data if is_distributed else strategy.experimental_distribute_dataset(data)
        self._iterator, self._skip = None, 0

    @property
    def continues(self):
        """Whether an epoch goes on where the one before has ended."""
        return self._steps is not None

    def go_to(self, epoch, step, skip=None):
        """Let the next epoch begin at a step.

        Args:
            epoch: Number of the epoch.
            step: Number of the batch in it.
            skip: Batches to pass over. Default None: those that data in one order have given before, and none of data
                that know their position.
        """
        if skip is None and not self._knows_position():
            done = epoch * (self._steps or 0) + step
            skip = done % self.num_batches if self.num_batches and self.continues else done
        self._skip = check_integer("skip", skip or 0, 0)

    def begin(self):
        """Begin an epoch."""
        if self.continues and self._iterator is not None:
            return
        self._iterator = iter(self.distributed)
        while self._skip:
            self._draw()
            self._skip -= 1

    def next_batch(self):
        """Return (iterator, first batch to use, None where the iterator is sure to have one); or None at the end."""
        if not self.continues and self.num_steps is not None:
            return self._iterator, None
        batch = self._draw()
        return None if batch is None else (self._iterator, batch)

    def _draw(self):
        batch = next(self._iterator, None)
        if batch is None and self.continues:
            self._iterator = iter(self.distributed)
            batch = next(self._iterator, None)
            if batch is None:
                fail("data", type(self.given).__name__, "such that it gives a batch", "It is empty.")
        return batch

    def _knows_position(self):
        """What a strategy has distributed says nothing: what it was made of is expected to be in place."""
        return hasattr(self.given, "load_state_dict") or isinstance(self.given, tf.distribute.DistributedDataset)


def _cardinality(data):
    """Return the number of batches of a pass, negative where it is not known or infinite."""
    number = getattr(data, "cardinality", tf.data.UNKNOWN_CARDINALITY)
    return int(number() if callable(number) else number)
