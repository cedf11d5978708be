"""A rectangle of one picture, pasted into another."""

import tensorflow as tf

from unitools.core.component import register
from unitools.core.layers.counter_random import fold_in, uniform
from unitools.data.image.mixing_augmenter import MixingAugmenter, blend
from unitools.data.image.rectangles import inside


@register
class CutMix(MixingAugmenter):
    """Pastes a rectangle of another example of the batch into each picture, and mixes labels by area.

    Why: unlike erasing, no pixel is wasted; unlike `MixUp`, pictures look natural in each place, which keeps objects
    locatable. Masks are pasted as pictures are. Put it last; use a loss that takes soft labels.

    Args:
        alpha: Shape of the Beta(alpha, alpha) distribution that the area of the picture itself is drawn from, from 0.01
            to 100. Default 1, evenly, as in the paper.
        rate: Share of the examples that are mixed, in [0, 1]. The paper uses 0.5 on CIFAR and 1 on ImageNet. Default 1.
        seed: Integer that fixes the draws of `call`; see `Augmenter`.

    Call arguments: a dictionary with "images" and float "labels", one-hot `(batch, classes)` or `(batch, 1)`, or
        "masks". Which example is the partner depends on the batch; see `MixingAugmenter`.

    Input shape and output shape: the same.

    Raises:
        ValueError: An argument is out of range, there are neither labels nor masks, or there are boxes.
        TypeError: Labels are integers.

    Example:
    >>> import tensorflow as tf
    >>> from unitools.data.image import CutMix
    >>> batch = {"images": tf.random.uniform((4, 8, 8, 3)), "labels": tf.eye(4)}
    >>> mixed = CutMix(seed=1)(batch, training=True)
    >>> tf.reduce_sum(mixed["labels"], axis=-1).numpy().round(3).tolist()
    [1.0, 1.0, 1.0, 1.0]

    Source: Yun, Han, Oh, Chun, Choe, Yoo: CutMix: Regularization Strategy to Train Strong Classifiers with Localizable
        Features. ICCV 2019. There, one rectangle is drawn a batch; here one an example.
    """

    targets = ("labels", "masks")

    def __init__(self, *, alpha: float = 1.0, rate: float = 1.0, **kwargs):
        super().__init__(alpha=alpha, rate=rate, **kwargs)

    def sample(self, seeds, size):
        """Draw a rectangle around an even centre, cut off at the edges; `shares` becomes the area that is left."""
        parameters = super().sample(seeds, size)
        centres = uniform(fold_in(seeds, 1), 2)
        lengths = tf.stack([tf.cast(length, tf.float32) for length in size])
        sides = lengths * tf.sqrt(1.0 - parameters["shares"])[:, None]
        start = tf.clip_by_value(tf.round(centres * lengths - sides / 2.0), 0.0, lengths)
        end = tf.clip_by_value(tf.round(centres * lengths + sides / 2.0), 0.0, lengths)
        shares = 1.0 - tf.reduce_prod(end - start, axis=-1) / tf.reduce_prod(lengths)
        rectangles = tf.cast(tf.concat([start, end], axis=-1), tf.int32)
        return parameters | {"rectangles": rectangles, "shares": shares}

    def apply_to_images(self, images, parameters):
        """Paste."""
        pasted = inside(parameters["rectangles"], tf.shape(images))
        return tf.where(pasted, tf.gather(images, parameters["partners"]), images)

    def apply_to_masks(self, masks, parameters):
        """Paste."""
        return self.apply_to_images(masks, parameters)

    def apply_to_labels(self, labels, parameters):
        """Blend by area."""
        return tf.cast(blend(labels, parameters["partners"], parameters["shares"]), labels.dtype)
