"""The block that Transformer encoders repeat."""

from functools import partial
from typing import Any

import keras
from keras import ops

from unitools.backbones.encoder_ops import added, dropped, gelu
from unitools.backbones.row_norm import RowNorm
from unitools.core.checks import check_choice, check_integer, check_number, fail
from unitools.core.component import Component, register

# Hugging Face's "gelu" is the exact one; Google's BERT code and keras-hub's BERT take the tanh form.
ACTIVATIONS = {
    "gelu": gelu,
    "gelu_tanh": partial(ops.gelu, approximate=True),
    "relu": ops.relu,
    "silu": ops.silu,
}


@register
class EncoderBlock(Component, keras.layers.Layer):
    """One block of a Transformer encoder as in BERT: self-attention, then a feed-forward part, each added and normed.

    Why: Keras' `MultiHeadAttention` makes queries, keys and values by three products over three axes. Here one product
    of matrices makes all three, and every other product is one of matrices too. That leaves fewer operations to trace
    and to run.

    Args:
        num_heads: Attention heads, >= 1. They share the features evenly.
        feed_forward_units: Units of the hidden layer of the feed-forward part, >= 1.
        activation: "gelu" (exact), "gelu_tanh" (the approximation), "relu" or "silu". Default "gelu".
        dropout: Share of the features that is dropped after each of the two parts in training, in [0, 1). Default 0.1.
        attention_dropout: Share of the attention weights that is dropped in training, in [0, 1). Default 0.1.
        epsilon: What the norms add to the variance, > 0. Default 1e-12, BERT's.
        seed: Seed of the dropout. Default None: random.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Features of the positions.
        mask: Booleans `(batch, time)`, True where a token stands. No position attends to the others. Keras passes it on
            by itself.
        training: Whether to drop out. Default False.

    Input shape:
        `(batch, time, features)`.

    Output shape:
        The input's.

    Raises:
        ValueError: An argument is out of range, or the features cannot be shared evenly by the heads.

    Example:
    >>> import numpy
    >>> from unitools.backbones import EncoderBlock
    >>> block = EncoderBlock(num_heads=2, feed_forward_units=16)
    >>> block(numpy.ones((3, 5, 8), "float32")).shape
    TensorShape([3, 5, 8])

    Source:
        Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; Devlin et al. 2019, https://aclanthology.org/N19-1423.
    """

    # Tells unitools.regularization.stochastic_depth that what comes out is like what goes in.
    is_residual_block = True

    def __init__(
        self,
        num_heads: int,
        feed_forward_units: int,
        *,
        activation: str = "gelu",
        dropout: float = 0.1,
        attention_dropout: float = 0.1,
        epsilon: float = 1e-12,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.num_heads = check_integer("num_heads", num_heads, 1)
        self.feed_forward_units = check_integer("feed_forward_units", feed_forward_units, 1)
        self.activation = check_choice("activation", activation, tuple(ACTIVATIONS))
        self.dropout = check_number("dropout", dropout, 0, 1, open_high=True)
        self.attention_dropout = check_number("attention_dropout", attention_dropout, 0, 1, open_high=True)
        self.epsilon = check_number("epsilon", epsilon, 0, open_low=True)
        self.seed = None if seed is None else check_integer("seed", seed)
        self.supports_masking = True
        self._draws = keras.random.SeedGenerator(self.seed)

    def build(self, input_shape: tuple) -> None:
        """Make the weights for features of this shape."""
        units = input_shape[-1]
        if len(input_shape) != 3 or units is None:
            fail("inputs", tuple(input_shape), "(batch, time, features) with a known number of features")
        if units % self.num_heads:
            fail("num_heads", self.num_heads, f"a divisor of the {units} features")
        # A product of matrices of its own for each of query, key and value would take three passes over the inputs.
        self._query_key_value = self._dense(3 * units, units, "attention_query_key_value")
        self._attention_output = self._dense(units, units, "attention_output")
        self._attention_norm = self._norm(units, "attention_norm")
        self._hidden = self._dense(self.feed_forward_units, units, "feed_forward_hidden")
        self._output = self._dense(units, self.feed_forward_units, "feed_forward_output")
        self._output_norm = self._norm(units, "feed_forward_norm")

    def _dense(self, units, inputs, name):
        start = keras.initializers.TruncatedNormal(stddev=0.02)
        layer = keras.layers.Dense(units, kernel_initializer=start, dtype=self.dtype_policy, name=name)
        layer.build((None, inputs))
        return layer

    def _norm(self, units, name):
        layer = RowNorm(epsilon=self.epsilon, dtype=self.dtype_policy, name=name)
        layer.build((None, units))
        return layer

    def call(self, inputs: Any, mask: Any = None, training: bool = False) -> Any:
        """Return the features after attention and feed-forward part."""
        shape = ops.shape(inputs)
        # Dense layers on matrices: on three axes Keras' product works out shapes at run time.
        rows = ops.reshape(inputs, (-1, shape[2]))
        attended = self._attend(self._query_key_value(rows), shape, mask, training)
        rows = self._attention_norm(self._add(rows, self._attention_output(attended), training))
        hidden = ACTIVATIONS[self.activation](self._hidden(rows))
        rows = self._output_norm(self._add(rows, self._output(hidden), training))
        return ops.reshape(rows, shape)

    def _attend(self, projected, shape, mask, training):
        """Return the attended values as rows, from rows that hold query, key and value."""
        batch, time, units = shape
        parts = ops.reshape(projected, (batch, time, 3, self.num_heads, units // self.num_heads))
        query, key, value = ops.unstack(ops.transpose(parts, (2, 0, 3, 1, 4)), 3)
        query = query * (units // self.num_heads) ** -0.5
        key, value, mask = self.extend_context(key, value, mask)
        scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))
        # Half precision has too few digits for the sums of a softmax over many positions.
        scores = ops.cast(scores, "float32")
        if mask is not None:
            scores = scores + (ops.cast(mask, "float32")[:, None, None, :] - 1) * 1e9
        weights = ops.cast(ops.softmax(scores), query.dtype)
        if training and self.attention_dropout:
            weights = dropped(weights, self.attention_dropout, self._draws)
        return ops.reshape(ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3)), (-1, units))

    def extend_context(self, keys: Any, values: Any, mask: Any) -> tuple:
        """Return what the positions attend to. A hook: prefix tuning puts positions of its own before the others.

        Args:
            keys: Tensor `(batch, heads, time, features of a head)`.
            values: Tensor of the same shape.
            mask: Booleans `(batch, time)`, or None.
        """
        return keys, values, mask

    def _add(self, rows, update, training):
        return added(rows, update, self.dropout, self._draws) if training and self.dropout else rows + update

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the positions, which stays as it is."""
        return previous_mask

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return the input's shape."""
        return tuple(input_shape)
