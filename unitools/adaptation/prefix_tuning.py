"""Prefix tuning."""

from collections.abc import Sequence

import keras

from unitools.adaptation.adapted_class import plain_class
from unitools.adaptation.adapter import Adapter
from unitools.adaptation.adapter_part import AdapterPart
from unitools.adaptation.prefix_part import PrefixPart, prefix_behaviour
from unitools.core.checks import check_integer


class PrefixTuning(Adapter):
    """Lets every attention layer attend to learned positions before the text, and trains only these.

    Why: it changes what a Transformer attends to, and none of its weights. The text's own positions and masks stay as
    they are. Unlike the other adapters it changes the answers at once. It cannot be merged.

    Args:
        num_tokens: Learned positions a layer, >= 1. Default 16.
        layers: Patterns of the attention layers, see `Adapter`: `unitools.backbones.EncoderBlock`, or
            `keras.layers.MultiHeadAttention` with one axis of time, in keras-hub's encoders too. Default None: all.
        train_also: What else learns, see `Adapter`. Default "head".
        name: What the adapter is called. Default "default".

    Raises:
        ValueError: An argument is out of range. From `apply`: the model has no such attention layers, or the name is
            taken.

    Example:
    >>> import keras
    >>> import unitools as ut
    >>> inputs = keras.Input((None, 8))
    >>> block = ut.backbones.EncoderBlock(num_heads=2, feed_forward_units=16, name="block")
    >>> model = keras.Model(inputs, ut.heads.Classifier(3)(block(inputs)))
    >>> ut.adaptation.PrefixTuning(4).apply(model).added_parameters
    64

    Source:
        Li and Liang 2021, https://arxiv.org/abs/2101.00190. Keys and values are learned as they are, from small random
        values: without the paper's net that makes them in training.
    """

    def __init__(
        self,
        num_tokens: int = 16,
        *,
        layers: str | Sequence[str] | None = None,
        train_also: str | Sequence[str] = "head",
        name: str = "default",
    ):
        super().__init__(layers=layers, train_also=train_also, name=name)
        self.num_tokens = check_integer("num_tokens", num_tokens, 1)

    def suits(self, layer: keras.layers.Layer) -> bool:
        """Return whether it is an attention layer that can attend to more positions."""
        return layer.built and prefix_behaviour(layer, plain_class(layer)) is not None

    def make_part(self, layer: keras.layers.Layer, path: str, seed: int | None) -> AdapterPart:
        """Return keys and values for a layer."""
        if isinstance(layer, keras.layers.MultiHeadAttention):
            heads, key_units, value_units = layer.num_heads, layer.key_dim, layer.value_dim
        else:
            heads = layer.num_heads
            key_units = value_units = layer.get_build_config()["input_shape"][-1] // heads
        behaviour = prefix_behaviour(layer, plain_class(layer))
        sizes = {"num_heads": heads, "key_units": key_units, "value_units": value_units}
        part = PrefixPart(layer, self.num_tokens, **sizes, behaviour=behaviour, seed=seed, name=self.name)
        part.build()
        return part
