"""What prefix tuning adds to one attention layer."""

from typing import Any

import keras
from keras import ops

from unitools.adaptation.adapter_part import AdapterPart


class PrefixPart(AdapterPart):
    """Keys and values of positions before the text, in an attention layer.

    Args:
        layer: The attention layer.
        num_tokens: Number of positions.
        num_heads: Its heads.
        key_units: Features of a head's keys.
        value_units: Features of a head's values.
        behaviour: What the layer does with them: `BlockWithPrefix` or `AttentionWithPrefix`.
        seed: Fixes the first values, or None.
        **kwargs: `name`.
    """

    def __init__(
        self,
        layer: keras.layers.Layer,
        num_tokens: int,
        *,
        num_heads: int,
        key_units: int,
        value_units: int,
        behaviour: type,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(layer, **kwargs)
        self.behaviour = behaviour
        self._shapes = ((num_tokens, num_heads, key_units), (num_tokens, num_heads, value_units))
        self._seed = seed

    def build(self, input_shape: Any = None) -> None:
        """Make keys and values."""
        seeds = (None, None) if self._seed is None else (self._seed, self._seed + 1)
        starts = [keras.initializers.RandomNormal(stddev=0.02, seed=seed) for seed in seeds]
        self.keys = self.make(self._shapes[0], "keys", starts[0])
        self.values = self.make(self._shapes[1], "values", starts[1])

    def call(self, keys: Any, values: Any) -> Any:
        """Return keys and values `(batch, time, heads, features)` with the prefix before them."""
        return _before(self.keys, keys), _before(self.values, values)

    def with_mask(self, mask: Any) -> Any:
        """Return a mask whose last axis is that of the keys, with the prefix before it, where there is a mask."""
        if mask is None:
            return None
        ones = ops.ones_like(mask[..., :1])
        return ops.concatenate([ops.tile(ones, [1] * (len(mask.shape) - 1) + [self._shapes[0][0]]), mask], axis=-1)


def _before(prefix, tensor):
    prefix = ops.cast(prefix, tensor.dtype)[None]
    return ops.concatenate([ops.repeat(prefix, ops.shape(tensor)[0], axis=0), tensor], axis=1)


class _BlockWithPrefix:
    """An `EncoderBlock`, by its hook."""

    def extend_context(self, keys, values, mask):
        part = self.adapter_slot.part
        keys, values = (ops.transpose(tensor, (0, 2, 1, 3)) for tensor in (keys, values))
        keys, values = (ops.transpose(tensor, (0, 2, 1, 3)) for tensor in part(keys, values))
        return keys, values, part.with_mask(mask)


class _AttentionWithPrefix:
    """A `MultiHeadAttention`, which lets subclasses compute the attention their way.

    It then makes a causal mask itself, over the positions of the text.
    """

    def _compute_attention(self, query, key, value, attention_mask=None, training=None, return_attention_scores=False):
        part = self.adapter_slot.part
        key, value = part(key, value)
        mask = part.with_mask(attention_mask)
        return super()._compute_attention(query, key, value, mask, training, return_attention_scores)


def prefix_behaviour(layer: keras.layers.Layer, plain: type) -> type | None:
    """Return what makes a layer attend to a prefix, or None for a layer for which nothing is known."""
    if hasattr(plain, "extend_context"):
        return _BlockWithPrefix
    attention = keras.layers.MultiHeadAttention
    if isinstance(layer, attention) and plain._compute_attention is attention._compute_attention:
        return _AttentionWithPrefix if layer._attention_axes in (None, (1,)) else None
    return None
