"""Augmenters one after the other."""

from dataclasses import dataclass

from unitools.core.checks import fail
from unitools.core.component import register
from unitools.core.layers.counter_random import fold_in
from unitools.data.image.augmenter import Augmenter


@register
class Compose(Augmenter):
    """Runs augmenters in their order, each with random numbers of its own.

    Why: one object to hand to `ImageFolder.batches(augment=...)`. If the first augmenter can take decoded pictures
    straight to their target size, as `RandomAffine` and `RandAugment` can, it still does.

    Args:
        augmenters: Sequence of augmenters. Their own seeds are not used: each draws from the seed of the example and
            its position in the sequence.
        seed: Integer that fixes the draws of `call`; see `Augmenter`.

    Call arguments and shapes: see `Augmenter`.

    Raises:
        TypeError: A member is no `Augmenter`.

    Example:
    >>> import tensorflow as tf
    >>> from unitools.data.image import Compose, RandomAffine, RandomErasing
    >>> augment = Compose([RandomAffine(rotation=15), RandomErasing()], seed=1)
    >>> augment(tf.zeros((2, 32, 32, 3), tf.uint8), training=True).shape
    TensorShape([2, 32, 32, 3])
    """

    def __init__(self, augmenters: list[Augmenter], **kwargs):
        super().__init__(**kwargs)
        if not isinstance(augmenters, (list, tuple)) or not augmenters:
            fail("augmenters", augmenters, "a sequence of at least one augmenter")
        for member in augmenters:
            if not isinstance(member, Augmenter):
                raise TypeError(
                    f"`augmenters` must hold subclasses of unitools.data.Augmenter. Received {augmenters!r}. "
                    "Apply Keras layers and functions with `map` on the batches."
                )
        self.augmenters = tuple(augmenters)

    def build(self, input_shape):
        """Build the members, which have no weights either."""
        for member in self.augmenters:
            if not member.built:
                member.build(input_shape)
        self.built = True

    def augment(self, batch: dict, seeds) -> dict:
        """Change a batch by each augmenter in turn; a pure function."""
        return _Rest(tuple(enumerate(self.augmenters))).augment(batch, seeds)

    def entry(self):
        """Return the pass from decoded pictures to the target size of the first augmenter, if it has one."""
        entry = self.augmenters[0].entry()
        return None if entry is None else _Entry(entry)

    def after_entry(self):
        """Return what is left for the batch."""
        if self.augmenters[0].entry() is None:
            return self
        rest = enumerate((self.augmenters[0].after_entry(), *self.augmenters[1:]))
        left = tuple((position, member) for position, member in rest if member is not None)
        return _Rest(left) if left else None


@dataclass(frozen=True)
class _Entry:
    """The entry of the first member, with the seed that the member would get in the batch."""

    entry: object

    def draw(self, seeds, image_size):
        return self.entry.draw(fold_in(seeds, 0), image_size)

    def decode_to(self, image, drawn, image_size, scale=None):
        return self.entry.decode_to(image, drawn, image_size, scale)


@dataclass(frozen=True)
class _Rest:
    """Members and their positions in the whole sequence, which their seeds depend on."""

    members: tuple

    def augment(self, batch, seeds):
        for position, member in self.members:
            batch = member.augment(batch, fold_in(seeds, position))
        return batch
