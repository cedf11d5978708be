"""A model and scores that tests say beforehand, for callbacks that watch a score."""

import keras
import numpy as np


class Script(keras.callbacks.Callback):
    """Puts scores that are written down into the logs of each epoch. To be given before the callback under test."""

    def __init__(self, values, name="val_score"):
        super().__init__()
        self.values, self.name = values, name

    def on_epoch_end(self, epoch, logs=None):
        logs[self.name] = self.values[epoch]


class NumberEpochs(keras.callbacks.Callback):
    """Sets every weight to the number of the epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        for weight in self.model.weights:
            weight.assign(np.full(weight.shape, epoch))


def still_model(optimizer=None):
    """Return a compiled model that is not trained, only driven."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer or keras.optimizers.SGD(0.5), "mse")
    return model


def drive(model, callbacks, epochs, first=0):
    """Call the hooks of callbacks as a `fit` of so many epochs does, and return the epochs that were run."""
    hooks = keras.callbacks.CallbackList(callbacks, model=model, epochs=epochs, steps=1)
    model.stop_training = False
    hooks.on_train_begin()
    for epoch in range(first, epochs):
        hooks.on_epoch_begin(epoch)
        hooks.on_epoch_end(epoch, {"loss": 0.0})
        if model.stop_training:
            break
    hooks.on_train_end({})
    return epoch + 1


def scores(seed, epochs):
    """Return scores with few distinct values, so that ties and small differences occur."""
    return np.random.default_rng(seed).integers(0, 6, epochs) / 10
