"""How to build the components of unitools.backbones."""

import keras
import numpy as np

from unitools.backbones import Backbone, Preprocess
from unitools.testing import Specimen


def _pixels():
    return np.random.default_rng(0).uniform(0, 255, (4, 8, 8, 3)).astype("float32")


def _scaled():
    return _pixels() / 255


def _network():
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same", name="stem")(inputs)
    x = keras.layers.Conv2D(5, 3, strides=2, padding="same", activation="relu", name="stage")(x)
    return keras.Model(inputs, x, name="network")


SPECIMENS = [
    Specimen(
        Preprocess,
        arguments={"mean": (120.0, 110.0, 100.0), "std": (60.0, 61.0, 62.0), "channel_order": "bgr"},
        inputs=_pixels,
        output_shape=(4, 8, 8, 3),
        bad={"mean": "grey", "std": 0.0, "channel_order": "gbr"},
    ),
    Specimen(
        Backbone,
        arguments={
            "model": _network(),
            "preprocess": Preprocess(mean=127.5, std=127.5, name="preprocess"),
            "pyramid": ((1, "stem"), (2, "stage")),
            "recipe": {"name": "network", "include_top": False},
        },
        inputs=_scaled,
        output_shape=(4, 2, 2, 5),
        bad={"model": "resnet50", "pyramid": ((1, "trunk"),)},
    ),
]
