"""What the flows of `ImageDataGenerator` return."""

import tensorflow as tf

from unitools.core.checks import check_integer
from unitools.data.batches import Batches
from unitools.data.source import Source


class GeneratorBatches(Batches):
    """`Batches` with what users of the old image iterators expect: their attributes, `next`, indexing and `reset`.

    `for images, labels in batches` goes through one epoch, `len(batches)` batches of tensors; the old iterators never
    ended. `next(batches)` gives numpy arrays and goes on for ever, epoch after epoch. `batches[i]` is batch i of the
    present epoch, as numpy arrays, and leaves the position alone. `fit`, `evaluate` and `predict` take the object as
    it is; leave `steps_per_epoch` out, or use the result of `repeat()` with it.

    Args:
        source: See `Batches`.
        batch_size: See `Batches`.
        shuffle: See `Batches`.
        seed: See `Batches`.
        attributes: Dictionary of the attributes of the old iterators.

    Attributes:
        samples, n: Number of pictures.
        image_shape: Shape of one picture.
        class_indices: Dictionary from the name of a class to its label (from files).
        classes: int32 array, the label of each picture (from files).
        num_classes: Number of classes (from files).
        filenames, filepaths: Files, as listed and as opened (from files).

    Example:
    >>> import numpy as np
    >>> from unitools.data import ImageDataGenerator
    >>> flow = ImageDataGenerator(rescale=1 / 255).flow(np.full((5, 8, 8, 3), 255.0), np.arange(5), batch_size=2)
    >>> len(flow), [len(next(flow)[1]) for _ in range(4)], flow[0][0].max()
    (3, [2, 2, 1, 2], np.float32(1.0))
    """

    def __init__(
        self,
        source: Source,
        batch_size: int,
        *,
        shuffle: bool = True,
        seed: int | None = None,
        attributes: dict | None = None,
    ):
        self._attributes = dict(attributes or {})
        self._endless = self._reader = None
        vars(self).update(self._attributes)
        super().__init__(source, batch_size, shuffle=shuffle, seed=seed)

    @property
    def samples(self) -> int:
        """Number of pictures."""
        return self._order.num_examples

    @property
    def n(self) -> int:
        """Number of pictures."""
        return self.samples

    def __next__(self):
        if self._endless is None:
            self._endless = iter(self)
        try:
            batch = next(self._endless)
        except StopIteration:
            self._endless = iter(self)
            batch = next(self._endless)
        return _arrays(batch)

    def __getitem__(self, index):
        position = check_integer("index", index)
        if not -len(self) <= position < len(self):
            raise IndexError(f"`index` must be from {-len(self)} to {len(self) - 1}. Received index={index}.")
        if self._reader is None:
            self._reader = self.shard(0, 1)
        self._reader.load_state_dict({"epoch": self.state_dict()["epoch"], "step": position % len(self)})
        return _arrays(next(iter(self._reader)))

    def reset(self):
        """Go back to the first batch of the present epoch."""
        self._endless = None
        self.load_state_dict({"epoch": self.state_dict()["epoch"], "step": 0})

    def shard(self, index: int, count: int) -> "GeneratorBatches":
        """Return one of `count` disjoint parts of the same order; see `Batches.shard`."""
        part = super().shard(index, count)
        vars(part).update(self._attributes, _attributes=self._attributes, _endless=None, _reader=None)
        return part


def _arrays(batch):
    return tf.nest.map_structure(lambda tensor: tensor.numpy(), batch)
