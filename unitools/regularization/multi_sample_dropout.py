"""Several dropout samples through one head."""

from typing import Any

import keras
from keras import ops

from unitools.core.checks import check_integer, check_number
from unitools.core.component import register
from unitools.regularization.layer_wrapper import LayerWrapper


@register
class MultiSampleDropout(LayerWrapper):
    """Gives a head several samples of dropout in training, and returns the mean of its outputs.

    The samples share all that is computed below the head, so that a step costs hardly more, while gradients get less
    noise than dropout gives alone. At inference the head runs once, without dropout.

    Give it a head of logits: the mean of probabilities is another thing than what the loss of each sample would be.

    Args:
        layer: The head, for example a `Dense` layer or `heads.Classifier(..., activation=None)`.
        num_samples: Samples, >= 1. Default 8, the paper's.
        rate: Share of the features that each sample drops, in [0, 1). Default 0.5.
        seed: Seed of the draws. Default None: random.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Features, one tensor.
        mask: The mask of the inputs, for heads that take one. Keras passes it on by itself.
        training: Whether to draw samples. Default False.

    Input shape:
        `(batch, ...)`, as the head takes it.

    Output shape:
        The head's.

    Raises:
        ValueError: An argument is out of range.

    Example:
    >>> head = ut.regularization.MultiSampleDropout(keras.layers.Dense(3), num_samples=4)
    >>> head(np.ones((2, 16)), training=True).shape
    TensorShape([2, 3])

    Source:
        Inoue 2019, https://arxiv.org/abs/1905.09788. The paper takes the mean of the samples' losses, which a layer
        cannot do; ours of their logits, whose loss is at most that mean, as the losses are convex in them.
    """

    def __init__(
        self,
        layer: keras.layers.Layer,
        *,
        num_samples: int = 8,
        rate: float = 0.5,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(layer, **kwargs)
        self.num_samples = check_integer("num_samples", num_samples, 1)
        self.rate = check_number("rate", rate, 0, 1, open_high=True, advice="Use rate=0 to turn it off.")
        self.seed = None if seed is None else check_integer("seed", seed)
        self._draws = keras.random.SeedGenerator(self.seed)

    def call(self, inputs: Any, mask: Any = None, training: bool = False) -> Any:
        """Return the head's outputs, in training the mean over the samples."""
        if not training or not self.rate:
            return self.inner(inputs, mask)
        # The samples lie one after another along the batch axis: the head runs once for all of them.
        copies = ops.concatenate([inputs] * self.num_samples, axis=0)
        dropped = keras.random.dropout(copies, self.rate, seed=self._draws)
        masks = None if mask is None else ops.concatenate([mask] * self.num_samples, axis=0)
        return keras.tree.map_structure(self._mean, self.inner(dropped, masks))

    def _mean(self, outputs):
        shape = ops.shape(outputs)
        return ops.mean(ops.reshape(outputs, (self.num_samples, -1, *shape[1:])), axis=0)
