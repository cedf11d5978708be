"""Promises of callbacks: one object serves many fits, and its state can be stored."""

import json

import keras
import numpy as np

from unitools.testing.checks.check import promise
from unitools.testing.kinds import is_callback, is_stateful_callback
from unitools.testing.tensors import expect

_EPOCHS = 3


def _regression():
    """Return a small regression and its data, from a fixed start."""
    values = np.linspace(-1, 1, 16, dtype="float32").reshape(8, 2)
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(1, kernel_initializer="ones", name="head")(inputs))
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"], run_eagerly=True)
    return model, values, values.sum(axis=1, keepdims=True)


def _fit(specimen, callback):
    """Train the specimen's model, or a regression, and return its history and final weights."""
    model, values, targets = (specimen.training or _regression)()
    data = {"validation_data": (values, targets), "batch_size": 4, "shuffle": False, "verbose": 0}
    history = model.fit(values, targets, epochs=_EPOCHS, callbacks=[callback], **data)
    return history.history, model.get_weights()


@promise(is_callback)
def serves_two_fits(specimen):
    """A second `fit` with one object goes as the first did."""
    callback = specimen.build()
    (first, weights), (second, again) = _fit(specimen, callback), _fit(specimen, callback)
    lengths = {name: (len(values), len(second.get(name, ()))) for name, values in first.items()}
    expect(all(left == right for left, right in lengths.values()), f"epochs by log in first and second fit: {lengths}")
    for name, values in first.items():
        expect(
            np.allclose(values, second[name]), f"`{name}` was {values} in the first fit, {second[name]} in the second"
        )
    same = all(np.allclose(left, right) for left, right in zip(weights, again, strict=True))
    expect(same, "the second fit ended with other weights than the first")


@promise(is_stateful_callback)
def state_survives_json(specimen):
    """What `get_state` returns goes through JSON into another object that goes on from there."""
    callback, other = specimen.build(), specimen.build()
    _fit(specimen, callback)
    state = callback.get_state()
    other.set_state(json.loads(json.dumps(state)))
    received = other.get_state()
    expect(json.dumps(received) == json.dumps(state), f"state {state} came back as {received}")
