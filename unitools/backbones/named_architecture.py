"""Networks known by name: those of keras.applications, and the small residual networks."""

import keras

from unitools.backbones.applications import (
    application_name,
    application_names,
    application_preprocess,
    build_application,
)
from unitools.backbones.preprocess_modes import preprocess_for
from unitools.backbones.resnet_pyramid import resnet_pyramid
from unitools.backbones.small_resnets import SMALL_RESNETS, build_small_resnet, small_resnet_pyramid


def architecture_names() -> tuple[str, ...]:
    """Return every name that stands for an architecture without a download."""
    return tuple(sorted({*application_names(), *SMALL_RESNETS}))


def architecture_name(name: str) -> str | None:
    """Return the name as in `architecture_names`, whatever its case, "_" and "-", or None."""
    plain = name.lower().replace("_", "").replace("-", "")
    return plain if plain in SMALL_RESNETS else application_name(name)


class NamedArchitecture:
    """A network known by name.

    Args:
        name: One of `architecture_names()`.
        include_top: Whether to put the ImageNet classifier on top.
        num_classes: Classes of that classifier.
    """

    def __init__(self, name: str, *, include_top: bool = False, num_classes: int = 1000):
        self.name = name
        self.include_top = include_top
        self.num_classes = num_classes

    @property
    def recipe(self) -> dict:
        """How to build it again."""
        return {"name": self.name, "include_top": self.include_top, "num_classes": self.num_classes}

    @property
    def preprocess(self) -> keras.layers.Layer:
        """The preprocessing of the published weights. Random weights get the same, so that neither need be changed."""
        # The small networks' weights were trained in PyTorch.
        return preprocess_for("torch") if self.name in SMALL_RESNETS else application_preprocess(self.name)

    def build(self, input_shape: tuple | None, weights: str | None = None) -> keras.Model:
        """Return the network with random weights, or with weights="imagenet" those of keras.applications."""
        arguments = {"include_top": self.include_top, "num_classes": self.num_classes}
        if self.name in SMALL_RESNETS:
            return build_small_resnet(self.name, input_shape=input_shape, **arguments)
        return build_application(self.name, input_shape=input_shape, weights=weights, **arguments)

    def pyramid(self, model: keras.Model) -> tuple[tuple[int, str], ...] | None:
        """Return pairs (stride level, layer name), or None to have them found in the graph."""
        return small_resnet_pyramid(self.name) if self.name in SMALL_RESNETS else resnet_pyramid(self.name)
