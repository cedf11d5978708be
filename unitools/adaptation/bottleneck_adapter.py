"""Bottleneck adapters."""

from collections.abc import Sequence

import keras

from unitools.adaptation.adapter import Adapter
from unitools.adaptation.adapter_part import AdapterPart
from unitools.adaptation.bottleneck_part import BottleneckPart
from unitools.adaptation.place import Place
from unitools.core.checks import check_integer, fail
from unitools.core.name_patterns import fits

# The last projections of attention and feed-forward part: of unitools, of Keras' attention, of keras-hub's encoders.
_DEFAULT = ("attention_output", "feed_forward_output", "feedforward_output_dense")


class BottleneckAdapter(Adapter):
    """Inserts small trained nets after layers: down to few units, a non-linearity, up again, added to the output.

    Why: the first adapters for Transformers, with a non-linearity of their own, which LoRA has not. They cannot be
    merged: the model has more layers for good. Their projections are almost zero at first, so that the model's answers
    hardly change before they learn.

    Args:
        units: Units in the middle, >= 1. Default 64.
        activation: Name of the non-linearity, as keras.activations knows it. Default "relu".
        layers: Patterns of the layers to insert after, see `Adapter`. A pattern means the layers it fits, not those
            inside them. Default None: the last projection of attention and feed-forward part, before they are added.
        train_also: What else learns, see `Adapter`. Default ("head", "norms"), as in the paper.
        name: What the adapter is called. Default "default".

    Raises:
        ValueError: An argument is out of range. From `apply`: a pattern fits no layer with one output of known
            features, or the name is taken.

    Example:
    >>> import keras
    >>> import unitools as ut
    >>> layers = [keras.Input((8,)), keras.layers.Dense(8, name="body"), keras.layers.Dense(2, name="top")]
    >>> ut.adaptation.BottleneckAdapter(3, layers="body").apply(keras.Sequential(layers)).added_parameters
    59

    Source:
        Houlsby et al. 2019, https://arxiv.org/abs/1902.00751, section 2.1.
    """

    opens_layers = False

    def __init__(
        self,
        units: int = 64,
        *,
        activation: str = "relu",
        layers: str | Sequence[str] | None = None,
        train_also: str | Sequence[str] = ("head", "norms"),
        name: str = "default",
    ):
        super().__init__(layers=layers, train_also=train_also, name=name)
        self.units = check_integer("units", units, 1)
        try:
            self._activation = keras.activations.get(activation)
        except ValueError:
            fail("activation", activation, "a name that keras.activations knows", 'For instance "gelu".')
        self.activation = activation

    def suits(self, layer: keras.layers.Layer) -> bool:
        """Return whether the layer has one output with features on its last axis."""
        return _features(layer) is not None

    def default_layers(self, free: list[Place]) -> tuple[str, ...]:
        """Return which of the usual names there are, or all of them for the message if there is none."""
        there = tuple(name for name in _DEFAULT if any(fits(place.path, name, inside=False) for place in free))
        return there or _DEFAULT

    def make_part(self, layer: keras.layers.Layer, path: str, seed: int | None) -> AdapterPart:
        """Return the two projections for a layer."""
        part = BottleneckPart(
            layer, _features(layer), self.units, activation=self._activation, seed=seed, name=self.name
        )
        part.build()
        return part


def _features(layer):
    """Return the size of the last axis of a layer's only output, or None."""
    if isinstance(layer, (keras.Model, keras.layers.InputLayer)) or not layer.built:
        return None
    if getattr(layer, "data_format", "channels_last") == "channels_first":
        return None
    try:
        shape = _output_shape(layer)
    except Exception:  # a layer that does not know its shape, for whatever reason of its own
        return None
    known = isinstance(shape, (tuple, list)) and len(shape) >= 2 and isinstance(shape[-1], int)
    return shape[-1] if known else None


def _output_shape(layer):
    """Return the shape of what a layer gives in a graph, or, inside a composite layer, for what it was built for."""
    if layer._inbound_nodes:
        return layer.output.shape
    shapes = layer.get_build_config() or {}
    given = shapes.get("shapes_dict") or {"input_shape": shapes.get("input_shape")}
    return layer.compute_output_shape(*given.values())
