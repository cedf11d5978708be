"""No test of a path may use the network, and none needs it."""

import socket

import keras
import pytest


@pytest.fixture
def no_network(monkeypatch):
    """Make every attempt to connect or to look up a host an error, and count them."""
    attempts = []

    def refuse(*arguments, **options):
        attempts.append(arguments)
        raise socket.gaierror(-3, "the network is off in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    return attempts


@pytest.fixture
def small_network():
    """Return a function that builds a small functional net; the same seed gives the same weights."""

    def build(seed=0, channels=3, filters=4, name="small"):
        keras.utils.set_random_seed(seed)
        inputs = keras.Input((16, 16, channels))
        x = keras.layers.Conv2D(filters, 3, strides=2, padding="same", name="stem")(inputs)
        x = keras.layers.BatchNormalization(name="norm")(x)
        x = keras.layers.ReLU(name="act")(x)
        x = keras.layers.Conv2D(5, 3, strides=2, padding="same", name="stage")(x)
        model = keras.Model(inputs, x, name=name)
        for weight in model.weights:
            weight.assign(keras.random.uniform(weight.shape, 0.1, 1.0))
        return model

    return build
