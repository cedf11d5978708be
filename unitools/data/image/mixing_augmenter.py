"""The base class of augmenters that mix two examples of a batch."""

import tensorflow as tf

from unitools.core.checks import check_number
from unitools.core.layers.counter_random import uniform
from unitools.data.image.augmenter import Augmenter
from unitools.data.image.beta_quantiles import BetaQuantiles


class MixingAugmenter(Augmenter):
    """Mixes each example with another one of its batch, labels included.

    The share of the example itself is drawn from Beta(alpha, alpha). Partners follow from the seeds: examples stand in
    a circle in the order of random numbers drawn from their seeds, and each takes the next. So the order of the batch
    does not matter, nobody is its own partner in a batch of two or more, and the result depends on which examples share
    the batch.

    A subclass overrides `apply_to_images` and `apply_to_labels`, and may extend `sample`.

    Args:
        alpha: Shape of the Beta distribution, from 0.01 to 100: small values leave most examples nearly alone, large
            ones mix half and half.
        rate: Share of the examples that are mixed, in [0, 1]. Default 1.
        seed: See `Augmenter`.
    """

    targets = ("labels",)
    """What the subclass mixes beside pictures; at least one of them must be there."""

    def __init__(self, *, alpha: float = 1.0, rate: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = check_number("alpha", alpha, 0.01, 100)
        self.rate = check_number("rate", rate, 0, 1, advice="Use rate=0 to turn it off.")
        self._quantiles = BetaQuantiles(self.alpha)

    def sample(self, seeds, size):
        """Draw the partner, int32 `(batch,)`, and the share that stays, float32 `(batch,)`."""
        chosen, share, place = tf.unstack(uniform(seeds, 3), axis=-1)
        circle = tf.argsort(place, stable=True)
        partners = tf.gather(tf.roll(circle, -1, 0), tf.argsort(circle))
        return {"partners": partners, "shares": tf.where(chosen < self.rate, self._quantiles(share), 1.0)}

    def augment(self, batch: dict, seeds) -> dict:
        """Change a batch, if it can be mixed; see `Augmenter`."""
        name = type(self).__name__
        if not any(key in batch for key in self.targets):
            raise ValueError(
                f"`{name}` mixes pictures with their targets. Received a batch with the keys {sorted(batch)}, without "
                f"{' or '.join(map(repr, self.targets))}. Give a dictionary that has them."
            )
        if "labels" in batch and not batch["labels"].dtype.is_floating:
            raise TypeError(
                f"`{name}` needs labels that can be mixed: one-hot, or 0 and 1, as floats. Received dtype "
                f'{batch["labels"].dtype.name}. Use class_mode="categorical", or keras.ops.one_hot.'
            )
        unmixed = sorted({"boxes", "masks"}.difference(self.targets).intersection(batch))
        if unmixed:
            raise ValueError(
                f"`{name}` does not mix {' and '.join(unmixed)}. Received a batch with the keys {sorted(batch)}. Leave "
                "it out for this task; RandomAffine and RandAugment move boxes and masks."
            )
        return super().augment(batch, seeds)


def blend(values, partners, shares):
    """Return shares * values + (1 - shares) * those of the partners, in float32.

    Args:
        values: `(batch, ...)`.
        partners: int32 `(batch,)`.
        shares: float32 `(batch,)`.
    """
    values = tf.cast(values, tf.float32)
    shares = tf.reshape(shares, (-1, *(1,) * (values.shape.rank - 1)))
    return values * shares + tf.gather(values, partners) * (1.0 - shares)
