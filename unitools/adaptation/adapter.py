"""The base of all adapters."""

import re
from collections.abc import Sequence
from typing import Any

import keras

from unitools.adaptation.adapter_file_error import AdapterFileError
from unitools.adaptation.adapter_part import AdapterPart
from unitools.adaptation.adapter_report import AdapterReport
from unitools.adaptation.attach import attach
from unitools.adaptation.layer_places import places
from unitools.adaptation.place import Place
from unitools.adaptation.trained_weights import is_bias, trained_weights
from unitools.core.checks import check_integer, fail
from unitools.core.component import Component
from unitools.core.name_patterns import as_patterns, fitting


class Adapter(Component):
    """Settings of an adapter: a small part of a model that learns while the rest of it stays as it is.

    `LoRA`, `BottleneckAdapter`, `PrefixTuning` and `BitFit` are adapters. For one of your own override `suits` and
    `make_part`, and take `layers`, `train_also` and `name` in the constructor: it can then be switched, saved and
    loaded like these.

    Args:
        layers: Patterns of the layers to adapt, by name or path: "query", "block_*/attention_output", or the name of a
            layer for all that is inside it. `*` stands for any signs within a name. Default None: the adapter's choice.
        train_also: What else learns: "head" (the layers with weights next to the outputs), "norms", "biases", and
            patterns of the paths of layers or weights. Default "head".
        name: What the adapter is called: letters, digits, "_", "-" and ".". Default "default".

    Example:
    >>> import keras
    >>> import unitools as ut
    >>> layers = [keras.Input((8,)), keras.layers.Dense(8, name="body"), keras.layers.Dense(2, name="top")]
    >>> model = keras.Sequential(layers)
    >>> print(ut.adaptation.LoRA(rank=2).apply(model))
    LoRA 'default', active: 50 of 122 parameters learn (41.0 %), on 1 layer. Compile the model again.
    """

    def __init__(
        self,
        *,
        layers: str | Sequence[str] | None = None,
        train_also: str | Sequence[str] = "head",
        name: str = "default",
    ):
        as_patterns("layers", layers)
        as_patterns("train_also", train_also)
        if not isinstance(name, str) or not re.fullmatch(r"\w[\w.-]*", name):
            fail("name", name, "a name of letters, digits, '_', '-' and '.'", "It is part of the weights' names.")
        self.layers = layers if layers is None or isinstance(layers, str) else tuple(layers)
        self.train_also = train_also if isinstance(train_also, str) else tuple(train_also)
        self.name = name

    def apply(self, model: keras.Model, *, seed: int | None = None) -> AdapterReport:
        """Put the adapter on a built model, freeze the rest, and make it the active one.

        The model's answers stay the same, those of `PrefixTuning` apart. Compile the model again afterwards.

        Args:
            model: The model. Its code and its graph stay as they are.
            seed: Integer that fixes the first values and the dropout. Default None: random.

        Returns:
            What learns now.

        Raises:
            ValueError: A pattern fits no layer, the model has an adapter of this name, or a layer cannot be adapted.
            TypeError: `model` is no Keras model.
        """
        found = places(checked(model))
        if seed is not None:
            check_integer("seed", seed, 0)
        trained = trained_weights(model, found, self.also)
        targets = self.targets(found, trained)
        return attach(model, self, [place.title for place in targets], trained, seed)

    @property
    def also(self) -> tuple[str, ...]:
        """What learns beside the adapter's own weights, as `train_also` says."""
        return as_patterns("train_also", self.train_also)

    def targets(self, found: list[Place], trained: dict[str, set[str]]) -> list[Place]:
        """Return the places of the layers to adapt.

        Args:
            found: All places.
            trained: What learns anyway: such layers are left out.
        """
        free = [place for place in found[1:] if not _learns(place, trained) and self.suits(place.layer)]
        patterns = as_patterns("layers", self.layers) or self.default_layers(free)
        what = f"the path of a layer that {type(self).__name__} can adapt, the head apart"
        hits = fitting("layers", patterns, [place.path for place in free], what, inside=self.opens_layers)
        return [place for place in free if place.path in hits]

    opens_layers = True
    """Whether a pattern that means a layer means those inside it."""

    def default_layers(self, free: list[Place]) -> tuple[str, ...]:
        """Return the patterns for `layers=None`, from the places that can be adapted."""
        return ("*",)

    def suits(self, layer: keras.layers.Layer) -> bool:
        """Return whether the adapter can be put on a layer. A hook."""
        raise NotImplementedError

    def make_part(self, layer: keras.layers.Layer, path: str, seed: int | None) -> AdapterPart:
        """Return a built `AdapterPart` called `self.name` for a layer. A hook.

        Args:
            layer: The layer.
            path: Its path, for messages.
            seed: Integer that fixes its first values, or None.
        """
        raise NotImplementedError


def _learns(place, trained):
    """Return whether more of a layer than its bias learns anyway."""
    return not all(map(is_bias, trained.get(place.title, ())))


def checked(model: Any) -> keras.Model:
    """Return the model, or raise if it is none or has no weights yet."""
    if not isinstance(model, keras.Model):
        raise TypeError(f"`model` must be a Keras model. Received {type(model).__name__}. Give the model it is in.")
    if not model.built or not model.weights:
        fail("model", model.name, "built", "Call it on an input first: a layer without weights cannot be adapted.")
    return model


def kind_called(name: str, path: Any) -> type[Adapter]:
    """Return the adapter class of this name, a user's own among them, or raise for the file at `path`."""
    kinds, waiting = {}, [Adapter]
    while waiting:
        cls = waiting.pop()
        kinds[cls.__name__] = cls
        waiting += cls.__subclasses__()
    if name not in kinds:
        raise AdapterFileError(
            f"{path} holds an adapter of the class {name!r}, known are {sorted(kinds)}. Import the module with that "
            "class first."
        )
    return kinds[name]
