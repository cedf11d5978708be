"""Passes of a loop through its data."""

import keras
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
        self.given, self._strategy, self._steps = data, strategy, steps_per_epoch
        if steps_per_epoch is not None:
            check_integer("steps_per_epoch", steps_per_epoch, 1)
        self.num_steps = _num_steps(data) if steps_per_epoch is None else steps_per_epoch
        self.distributed = self._distribute(data)
        self._iterator = None

    def begin(self, step):
        """Begin an epoch at a step: where the data do not know their position, pass over the batches before."""
        if self._steps is not None and step == 0 and self._iterator is not None:
            return
        data = self.given
        if not step or hasattr(data, "load_state_dict"):
            self._iterator = iter(self.distributed)
        else:
            self._iterator = iter(self._distribute(data.skip(step)))

    def next_batch(self):
        """Return (iterator, first batch to use, None where the iterator is sure to have one); or None at the end."""
        if self._steps is None and self.num_steps is not None:
            return self._iterator, None
        batch = next(self._iterator, None)
        if batch is None and self._steps is not None:
            self._iterator = iter(self.distributed)
            batch = next(self._iterator, None)
            if batch is None:
                fail("data", type(self.given).__name__, "such that it gives a batch", "It is empty.")
        return None if batch is None else (self._iterator, batch)

    def _distribute(self, data):
        if isinstance(data, tf.distribute.DistributedDataset):
            return data
        return self._strategy.experimental_distribute_dataset(data)


def spec_of_batch(distributed):
    """Return the shapes and types of a batch in one replica."""
    return keras.tree.map_structure(
        lambda spec: getattr(spec, "_value_specs", (spec,))[0], tuple(_as_tuple(distributed.element_spec))
    )


def _as_tuple(spec):
    return spec if isinstance(spec, (tuple, list)) else (spec,)


def _num_steps(data):
    """Return the number of batches, None where it is not known."""
    number = getattr(data, "cardinality", tf.data.UNKNOWN_CARDINALITY)
    number = int(number() if callable(number) else number)
    if number == tf.data.INFINITE_CARDINALITY:
        fail("steps_per_epoch", None, "given for data that never end", "Say how many batches make an epoch.")
    return None if number < 0 else number
