"""Two pictures, one over the other."""

import tensorflow as tf

from unitools.core.component import register
from unitools.data.image.mixing_augmenter import MixingAugmenter, blend


@register
class MixUp(MixingAugmenter):
    """Blends each picture and its labels with those of another example of the batch.

    Why: a network that learns straight lines between examples is less sure of itself off them, so it generalises and is
    calibrated better. Put it last; use a loss that takes soft labels, such as categorical cross-entropy.

    Args:
        alpha: Shape of the Beta(alpha, alpha) distribution the share of the picture itself is drawn from, from 0.01
            to 100. The paper uses 0.2 to 0.4 on ImageNet. Default 0.2.
        rate: Share of the examples that are mixed, in [0, 1]. Default 1.
        seed: Integer that fixes the draws of `call`; see `Augmenter`.

    Call arguments: a dictionary with "images" and float "labels", one-hot `(batch, classes)` or `(batch, 1)`. Which
        example is the partner depends on the batch; see `MixingAugmenter`.

    Input shape and output shape: the same; integer pictures are rounded.

    Raises:
        ValueError: An argument is out of range, there are no labels, or there are boxes or masks.
        TypeError: Labels are integers.

    Example:
    >>> import tensorflow as tf
    >>> from unitools.data.image import MixUp
    >>> batch = {"images": tf.random.uniform((4, 8, 8, 3)), "labels": tf.eye(4)}
    >>> mixed = MixUp(alpha=1.0, seed=1)(batch, training=True)
    >>> tf.reduce_sum(mixed["labels"], axis=-1).numpy().round(3).tolist()
    [1.0, 1.0, 1.0, 1.0]

    Source: Zhang, Cisse, Dauphin, Lopez-Paz: mixup: Beyond Empirical Risk Minimization. ICLR 2018. There, one share is
        drawn a batch; here one an example.
    """

    def __init__(self, *, alpha: float = 0.2, rate: float = 1.0, **kwargs):
        super().__init__(alpha=alpha, rate=rate, **kwargs)

    def apply_to_images(self, images, parameters):
        """Blend."""
        mixed = blend(images, parameters["partners"], parameters["shares"])
        return tf.cast(tf.round(mixed) if images.dtype.is_integer else mixed, images.dtype)

    def apply_to_labels(self, labels, parameters):
        """Blend in the same shares."""
        return tf.cast(blend(labels, parameters["partners"], parameters["shares"]), labels.dtype)
