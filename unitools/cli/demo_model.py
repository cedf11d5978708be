"""The networks of the demo. Both take raw pixels from 0 to 255, so that an export needs no more than a picture."""

import keras

from unitools.backbones import load
from unitools.heads import Classifier


def small_network(input_shape: tuple[int, int, int], num_classes: int) -> keras.Model:
    """Return a convolutional network from random weights, for pictures of 8 x 8 pixels or more."""
    pixels = keras.Input(input_shape, name="images")
    features = keras.layers.Rescaling(1 / 255, name="rescale")(pixels)
    for filters in (32, 64, 128):
        for _ in range(2):
            features = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(features)
            # 0.9, not 0.99: an epoch of the demo may have 20 steps, too few for a slow average.
            features = keras.layers.BatchNormalization(momentum=0.9)(features)
            features = keras.layers.ReLU()(features)
        if min(features.shape[1:3]) >= 4:
            features = keras.layers.MaxPooling2D()(features)
    return keras.Model(pixels, Classifier(num_classes, dropout=0.3, name="classifier")(features), name="small_network")


def pretrained_network(weights: str, input_shape: tuple[int, int, int], num_classes: int) -> keras.Model:
    """Return a pretrained base model with its preprocessing before it and a new classifier on it."""
    backbone = load(weights, input_shape=input_shape)
    pixels = keras.Input(input_shape, name="images")
    prepared = pixels if backbone.preprocess is None else backbone.preprocess(pixels)
    probabilities = Classifier(num_classes, dropout=0.2, name="classifier")(backbone(prepared))
    return keras.Model(pixels, probabilities, name=backbone.name + "_classifier")
