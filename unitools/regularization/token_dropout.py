"""Dropout of tokens."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from unitools.core.checks import check_integer, check_number, fail
from unitools.core.component import Component, register


@register
class TokenDropout(Component, keras.layers.Layer):
    """Replaces token ids by the mask's or the unknown token's in training.

    Why: a model that has seen gaps relies on the tokens around a token, not on the token alone. Put it between the
    input of ids and the embedding. For words of raw texts, before they are split into tokens, see `data.WordDropout`.
    At inference it changes nothing.

    Args:
        rate: Probability of a token to be replaced, in [0, 1).
        replacement: Id that is put in, >= 0: the mask's or the unknown token's.
        keep: Ids that are never replaced: give padding and special tokens. Default (0,), mostly the padding.
        seed: Seed of the draws. Default None: random.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Token ids, integers.
        training: Whether to replace. Default False.

    Input shape:
        `(batch, ...)`, mostly `(batch, time)`.

    Output shape:
        The input's.

    Raises:
        ValueError: An argument is out of range, or the inputs are no integers.

    Example:
    >>> drop = ut.regularization.TokenDropout(0.99, 103, keep=(0, 101, 102), seed=1)
    >>> drop(np.array([[101, 7592, 2088, 102, 0]]), training=True).numpy().tolist()
    [[101, 103, 103, 102, 0]]

    Source:
        Iyyer et al. 2015, https://aclanthology.org/P15-1162, section 3.2, where dropped words leave no gap; with a
        token put in, Bowman et al. 2016, https://arxiv.org/abs/1511.06349, section 3.1.
    """

    def __init__(
        self, rate: float, replacement: int, *, keep: Sequence[int] = (0,), seed: int | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.rate = check_number("rate", rate, 0, 1, open_high=True, advice="Use rate=0 to turn the layer off.")
        self.replacement = check_integer("replacement", replacement, 0)
        if isinstance(keep, str) or not isinstance(keep, Sequence):
            fail("keep", keep, "a sequence of token ids")
        self.keep = tuple(check_integer("keep", item, 0) for item in keep)
        self.seed = None if seed is None else check_integer("seed", seed)
        self.supports_masking = True
        self._draws = keras.random.SeedGenerator(self.seed)
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the ids, in training some of them replaced."""
        if "int" not in keras.backend.standardize_dtype(inputs.dtype):
            fail("inputs", keras.backend.standardize_dtype(inputs.dtype), "integers", "Give ids, not embeddings.")
        if not training or not self.rate:
            return inputs
        goes = keras.random.uniform(ops.shape(inputs), seed=self._draws, dtype="float32") < self.rate
        for kept in self.keep:
            goes = ops.logical_and(goes, ops.not_equal(inputs, kept))
        return ops.where(goes, ops.cast(self.replacement, inputs.dtype), inputs)

    def compute_output_spec(self, inputs: Any, training: bool = False) -> Any:
        """Return the inputs' shape and dtype."""
        return keras.KerasTensor(inputs.shape, dtype=inputs.dtype)
