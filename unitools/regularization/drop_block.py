"""Dropout of squares."""

from typing import Any

import keras
from keras import ops

from unitools.core.checks import check_flag, check_integer, check_number, fail
from unitools.core.component import Component, register


@register
class DropBlock(Component, keras.layers.Layer):
    """Sets squares of feature maps to 0 in training, and scales up what is left.

    Neighbours in a feature map say nearly the same, so that dropping single values takes little away from a
    convolutional net. Dropping squares does. Put it after the last stages of a net. At inference it changes nothing.

    Args:
        rate: Share of the values to drop, in [0, 1). The paper's is 0.1. Where squares overlap, it is a little less.
        block_size: Side of the squares in positions, >= 1. Default 7; use what covers a part of the map, not all of it.
        per_channel: Whether each channel has squares of its own. Default True, the better in the paper. False: a square
            goes through all channels.
        seed: Seed of the draws. Default None: random.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Feature maps.
        training: Whether to drop. Default False.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        The input's.

    Raises:
        ValueError: An argument is out of range, or the maps are smaller than a square.

    Example:
    >>> drop = ut.regularization.DropBlock(0.2, block_size=3, seed=1)
    >>> maps = drop(np.ones((1, 8, 8, 4)), training=True).numpy()
    >>> bool((maps == 0).any()), round(float(maps.mean()), 4)
    (True, 1.0)

    Source:
        Ghiasi, Lin, Le 2018, https://arxiv.org/abs/1810.12890, algorithm 1 and equation 1. What is left is scaled for
        each example by itself, so that no example depends on its neighbours; the paper's rate grows during training.
    """

    def __init__(
        self, rate: float, *, block_size: int = 7, per_channel: bool = True, seed: int | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.rate = check_number("rate", rate, 0, 1, open_high=True, advice="Use rate=0 to turn the layer off.")
        self.block_size = check_integer("block_size", block_size, 1)
        self.per_channel = check_flag("per_channel", per_channel)
        self.seed = None if seed is None else check_integer("seed", seed)
        self._draws = keras.random.SeedGenerator(self.seed)

    def build(self, input_shape: tuple) -> None:
        """Check the maps."""
        if len(input_shape) != 4:
            fail("inputs", tuple(input_shape), "(batch, height, width, channels)")
        if any(size is not None and size < self.block_size for size in input_shape[1:3]):
            fail("block_size", self.block_size, f"at most the sides of the maps, {tuple(input_shape[1:3])}")

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the maps, in training with squares of zeros."""
        if not training or not self.rate:
            return inputs
        kept = self._kept(ops.shape(inputs))
        left = ops.mean(kept, axis=(1, 2, 3), keepdims=True)
        # An example of which nothing is left is all zeros whatever it is divided by.
        scale = kept / ops.maximum(left, 1e-6)
        return inputs * ops.cast(scale, inputs.dtype)

    def _kept(self, shape):
        """Return 0 for each position in a square, and 1 elsewhere, in float32."""
        batch, height, width, channels = shape
        side = self.block_size
        # Squares lie inside the map; a draw is the corner of one.
        rows, columns = height - side + 1, width - side + 1
        gamma = self.rate / side**2 * ops.cast(height * width, "float32") / ops.cast(rows * columns, "float32")
        drawn = (batch, rows, columns, channels if self.per_channel else 1)
        corners = ops.cast(keras.random.uniform(drawn, seed=self._draws, dtype="float32") < gamma, "float32")
        border = (side - 1, side - 1)
        padded = ops.pad(corners, ((0, 0), border, border, (0, 0)))
        return 1.0 - ops.max_pool(padded, side, strides=1, padding="valid", data_format="channels_last")

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return the input's shape."""
        return tuple(input_shape)
