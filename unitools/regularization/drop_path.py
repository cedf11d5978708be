"""Stochastic depth of one residual branch."""

from typing import Any

import keras
from keras import ops

from unitools.core.checks import check_integer, check_number
from unitools.core.component import Component, register


@register
class DropPath(Component, keras.layers.Layer):
    """Sets the whole input of some examples to 0 in training, and scales up that of the others.

    Put it at the end of a residual branch, just before the addition: an example then passes the block by with
    probability `rate`. Deep nets learn better so, since each block must be of use without its neighbours.
    `stochastic_depth` puts it into an existing model. At inference it changes nothing.

    Args:
        rate: Probability of an example to be dropped, in [0, 1). The others are scaled by 1 / (1 - rate), which keeps
            the mean.
        seed: Seed of the draws. Default None: random.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Features of any kind. A mask of positions stays as it is.
        training: Whether to drop. Default False.

    Input shape:
        `(batch, ...)`.

    Output shape:
        The input's.

    Raises:
        ValueError: `rate` is out of range.

    Example:
    >>> drop = ut.regularization.DropPath(0.5, seed=1)
    >>> values = np.unique(drop(np.ones((64, 3, 2)), training=True).numpy())
    >>> values.tolist()
    [0.0, 2.0]

    Source:
        Huang et al. 2016, https://arxiv.org/abs/1603.09382; Larsson et al. 2016, https://arxiv.org/abs/1605.07648. They
        scale down at inference; this scales up in training, and draws for each example rather than for each batch.
    """

    def __init__(self, rate: float, *, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.rate = check_number("rate", rate, 0, 1, open_high=True, advice="Use rate=0 to turn the layer off.")
        self.seed = None if seed is None else check_integer("seed", seed)
        self.supports_masking = True
        self._draws = keras.random.SeedGenerator(self.seed)
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the inputs, in training some examples 0 and the others scaled."""
        if not training or not self.rate:
            return inputs
        kept = kept_examples(inputs, self.rate, self._draws)
        return inputs * (ops.cast(kept, inputs.dtype) / (1 - self.rate))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return the input's shape."""
        return tuple(input_shape)


def kept_examples(inputs: Any, rate: float, seed: keras.random.SeedGenerator) -> Any:
    """Return one boolean an example, False with probability `rate`, in a shape that broadcasts to the inputs."""
    shape = (ops.shape(inputs)[0], *(1,) * (len(inputs.shape) - 1))
    return keras.random.uniform(shape, seed=seed, dtype="float32") >= rate
