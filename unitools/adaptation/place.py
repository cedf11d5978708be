"""A layer and where it is."""

from dataclasses import dataclass

import keras


@dataclass(frozen=True, eq=False)
class Place:
    """A layer and where it is.

    Args:
        path: Names of the layers around it and its own, joined by "/".
        title: The same with names that Keras made up counted anew in each layer: equal for all builds of one model.
        layer: The layer.
    """

    path: str
    title: str
    layer: keras.layers.Layer
