"""Text augmenters one after the other."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from unitools.core.checks import fail
from unitools.core.component import register
from unitools.core.layers.counter_random import fold_in
from unitools.data.text.augmenting.text_augmenter import TextAugmenter


@register
class ComposeText(TextAugmenter):
    """Runs text augmenters in their order, each with random numbers of its own.

    Why: one object to hand to a reader's `batches(augment=...)`.

    Args:
        augmenters: Sequence of text augmenters. Their own seeds are not used: each draws from the seed of the example
            and its position in the sequence.
        seed: Integer that fixes the draws of `call`; see `TextAugmenter`.

    Call arguments and shapes: see `TextAugmenter`.

    Raises:
        ValueError: There is no augmenter.
        TypeError: A member is no `TextAugmenter`.

    Example:
    >>> augment = ut.data.ComposeText([ut.data.WordSwap(1.0), ut.data.WordDropout(1.0)])
    >>> augment(tf.constant([["two", "words"]]), training=True).numpy().tolist()
    [[b'[UNK]', b'[UNK]']]
    """

    def __init__(self, augmenters: Sequence[TextAugmenter], **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(augmenters, (list, tuple)) or not augmenters:
            fail("augmenters", augmenters, "a sequence of at least one text augmenter")
        if not all(isinstance(member, TextAugmenter) for member in augmenters):
            raise TypeError(
                f"`augmenters` must hold subclasses of unitools.data.TextAugmenter. Received {augmenters!r}. "
                "Use Compose for augmenters of pictures."
            )
        self.augmenters = tuple(augmenters)

    def build(self, input_shape: Any) -> None:
        """Build the members, which have no weights either."""
        for member in self.augmenters:
            if not member.built:
                member.build(input_shape)
        self.built = True

    def augment_words(self, words: tf.RaggedTensor, labels: tf.RaggedTensor | None, seeds: tf.Tensor) -> tuple:
        """Change a batch by each augmenter in turn; a pure function."""
        for position, member in enumerate(self.augmenters):
            words, labels = member.augment_words(words, labels, fold_in(seeds, position))
        return words, labels
