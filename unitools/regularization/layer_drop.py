"""Stochastic depth of whole layers."""

from typing import Any

import keras
from keras import ops

from unitools.core.checks import check_integer, check_number, fail
from unitools.core.component import register
from unitools.regularization.drop_path import kept_examples
from unitools.regularization.layer_wrapper import LayerWrapper


@register
class LayerDrop(LayerWrapper):
    """Lets some examples pass a layer by in training: they come out as they went in.

    For blocks that hold their residual addition inside, such as a Transformer's, where `DropPath` has no branch to
    stand in. Nothing is scaled: what comes out of a block with a norm at its end is of one size either way. The layer
    is computed for all examples; this saves no time. At inference only the layer is left.

    Args:
        layer: A layer whose output has the shape of its input.
        rate: Probability of an example to pass the layer by, in [0, 1).
        seed: Seed of the draws. Default None: random.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: What the layer takes.
        mask: The mask of the inputs, for layers that take one. Keras passes it on by itself.
        training: Whether to drop. Default False.

    Input shape:
        `(batch, ...)`, as the layer takes it.

    Output shape:
        The input's.

    Raises:
        ValueError: `rate` is out of range, or the layer changes the shape.

    Example:
    >>> skipped = ut.regularization.LayerDrop(keras.layers.Dense(2, kernel_initializer="zeros"), 0.5, seed=1)
    >>> outputs = skipped(np.ones((64, 2)), training=True).numpy()
    >>> np.unique(outputs).tolist()
    [0.0, 1.0]

    Source:
        Fan, Grave, Joulin 2020, https://arxiv.org/abs/1909.11556, equation 1; ours draws for each example rather than
        for each batch.
    """

    def __init__(self, layer: keras.layers.Layer, rate: float, *, seed: int | None = None, **kwargs: Any):
        super().__init__(layer, **kwargs)
        self.rate = check_number("rate", rate, 0, 1, open_high=True, advice="Use rate=0 to turn it off.")
        self.seed = None if seed is None else check_integer("seed", seed)
        self._draws = keras.random.SeedGenerator(self.seed)

    def call(self, inputs: Any, mask: Any = None, training: bool = False) -> Any:
        """Return the layer's outputs, in training the inputs for some examples."""
        outputs = self.inner(inputs, mask)
        self._check(inputs, outputs)
        if not training or not self.rate:
            return outputs
        kept = kept_examples(outputs, self.rate, self._draws)
        return ops.where(kept, outputs, ops.cast(inputs, outputs.dtype))

    def _check(self, inputs, outputs):
        given, made = getattr(inputs, "shape", None), getattr(outputs, "shape", None)
        if given is None or made is None or not _may_be_equal(given, made):
            fail("layer", self.layer.name, "a layer whose output has the shape of its input",
                 f"It makes {made or 'several tensors'} of {given or 'several tensors'}.")  # fmt: skip


def _may_be_equal(left, right):
    """Whether shapes are equal, as far as the sizes are known."""
    return len(left) == len(right) and all(a == b or None in (a, b) for a, b in zip(left, right, strict=True))
