"""Tokens, positions and segments as features."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from unitools.backbones.row_norm import RowNorm
from unitools.core.checks import check_integer, check_number, fail
from unitools.core.component import Component, register


@register
class TextEmbedding(Component, keras.layers.Layer):
    """Turns token ids into features, by what the token is, where it stands and which text it belongs to.

    Why: the first layer of BERT and its kin, as one layer, so that it is one level for layer-wise learning rates and
    one step in freezing. It hands the padding mask on to all layers after it.

    Args:
        vocabulary_size: Number of token ids, >= 1.
        units: Features a token, >= 1.
        max_positions: Longest text in tokens, >= 1. Default 512.
        num_segments: Number of segment ids, or 0 for a model without. Default 2.
        dropout: Share of the features that is dropped in training, in [0, 1). Default 0.1.
        epsilon: What the norm adds to the variance, > 0. Default 1e-12, BERT's.
        seed: Seed of the dropout. Default None: random.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: A dict with `token_ids` and `padding_mask` (True where a token stands), and, where texts come in pairs,
            `segment_ids`. Without these all tokens are of segment 0.
        training: Whether to drop out. Default False.

    Input shape:
        `(batch, time)` for each.

    Output shape:
        `(batch, time, units)`.

    Raises:
        ValueError: An argument is out of range, the text is longer than `max_positions`, or `segment_ids` are given to
            a model without segments.

    Example:
    >>> import numpy
    >>> from unitools.backbones import TextEmbedding
    >>> ids = numpy.array([[7, 3, 0]])
    >>> layer = TextEmbedding(vocabulary_size=10, units=4, max_positions=8)
    >>> layer({"token_ids": ids, "padding_mask": ids > 0}).shape
    TensorShape([1, 3, 4])

    Source:
        Devlin et al. 2019, https://aclanthology.org/N19-1423, figure 2. Positions are counted from the first column, so
        padding belongs on the right.
    """

    def __init__(
        self,
        vocabulary_size: int,
        units: int,
        *,
        max_positions: int = 512,
        num_segments: int = 2,
        dropout: float = 0.1,
        epsilon: float = 1e-12,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size = check_integer("vocabulary_size", vocabulary_size, 1)
        self.units = check_integer("units", units, 1)
        self.max_positions = check_integer("max_positions", max_positions, 1)
        self.num_segments = check_integer("num_segments", num_segments, 0)
        self.dropout = check_number("dropout", dropout, 0, 1, open_high=True)
        self.epsilon = check_number("epsilon", epsilon, 0, open_low=True)
        self.seed = None if seed is None else check_integer("seed", seed)
        self._norm = RowNorm(epsilon=self.epsilon, dtype=self.dtype_policy, name="norm")
        self._dropout = keras.layers.Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy, name="dropout")

    def build(self, input_shape: dict) -> None:
        """Make the tables."""
        if "segment_ids" in input_shape and not self.num_segments:
            fail("segment_ids", "given", "left out for a model without segments")
        self._tokens = self._table(self.vocabulary_size, "tokens")
        self._positions = self._table(self.max_positions, "positions")
        self._segments = self._table(self.num_segments, "segments") if self.num_segments else None
        self._norm.build((None, None, self.units))

    def _table(self, rows, name):
        start = keras.initializers.TruncatedNormal(stddev=0.02)
        # Under mixed precision only the rows that are looked up are cast, not the table.
        return self.add_weight((rows, self.units), start, autocast=False, name=name)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the normed sum of the embeddings."""
        token_ids = inputs["token_ids"]
        features = ops.take(self._tokens, token_ids, axis=0) + self._positions[: self._length(token_ids)]
        if self._segments is not None:
            ids = inputs.get("segment_ids")
            features = features + (self._segments[0] if ids is None else ops.take(self._segments, ids, axis=0))
        return self._dropout(self._norm(ops.cast(features, self.compute_dtype)), training=training)

    def _length(self, token_ids):
        length = ops.shape(token_ids)[1]
        advice = "Split longer texts into windows, or cut them."
        if not isinstance(length, int):
            # Where the length is open while tracing, the check is part of the graph. XLA leaves it out.
            tf.debugging.assert_less_equal(
                length, self.max_positions, f"The text must have at most {self.max_positions} tokens. {advice}"
            )
        elif length > self.max_positions:
            fail("token_ids", tuple(token_ids.shape), f"at most {self.max_positions} tokens long", advice)
        return length

    def compute_mask(self, inputs: dict, previous_mask: Any = None) -> Any:
        """Return the padding mask for the layers that follow."""
        return inputs["padding_mask"]

    def compute_output_shape(self, input_shape: dict) -> tuple:
        """Return `(batch, time, units)`."""
        return (*input_shape["token_ids"], self.units)
