"""Promises of callbacks: one object serves many fits, and its state can be stored."""

import io
import json

import keras
import numpy as np

from unitools.testing.checks.check import promise
from unitools.testing.kinds import holds_arrays, is_callback, is_stateful_callback
from unitools.testing.tensors import difference, expect, same_values

_EPOCHS = 3


def _regression():
    """Return a small regression and its data, from a fixed start."""
    values = np.linspace(-1, 1, 16, dtype="float32").reshape(8, 2)
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(1, kernel_initializer="ones", name="head")(inputs))
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"], run_eagerly=True)
    return model, values, values.sum(axis=1, keepdims=True)


def _fit(specimen, callback, *others, **options):
    """Train the specimen's model, or a regression, and return its history and final weights."""
    model, values, targets = (specimen.training or _regression)()
    data = {"validation_data": (values, targets), "batch_size": 4, "shuffle": False, "verbose": 0}
    history = model.fit(values, targets, epochs=_EPOCHS, callbacks=[callback, *others], **data, **options)
    return history.history, model.get_weights()


class _Interruption(keras.callbacks.Callback):
    """Takes down all that a run needs to go on, when its first epoch ends; with `kept`, puts it into another run."""

    def __init__(self, callback, kept=None):
        super().__init__()
        self.callback, self.kept = callback, kept

    def on_train_begin(self, logs=None):
        if self.kept is not None:
            if not self.model.optimizer.built:
                self.model.optimizer.build(self.model.trainable_variables)
            for variable, value in zip(self._variables(), self.kept["variables"], strict=True):
                variable.assign(value)
            _hand_over(self.kept, self.callback)

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0:
            variables = [np.array(keras.ops.convert_to_numpy(variable)) for variable in self._variables()]
            self.kept = {**_taken_down(self.callback), "variables": variables}

    def _variables(self):
        return [*self.model.variables, *self.model.optimizer.variables]


def _taken_down(callback):
    """Return the state of a callback as the text and the bytes that a checkpoint would hold."""
    kept = {"state": json.dumps(callback.get_state())}
    if hasattr(callback, "get_arrays"):
        file = io.BytesIO()
        np.savez(file, **callback.get_arrays())
        kept["arrays"] = file.getvalue()
    return kept


def _hand_over(kept, callback):
    callback.set_state(json.loads(kept["state"]))
    if "arrays" in kept:
        callback.set_arrays(dict(np.load(io.BytesIO(kept["arrays"]))))


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


@promise(holds_arrays)
def arrays_survive_npz(specimen):
    """What `get_arrays` returns within a fit goes through a file into another object, and is the same there."""
    callback, other = specimen.build(), specimen.build()
    interruption = _Interruption(callback)
    _fit(specimen, callback, interruption)
    _hand_over(interruption.kept, other)
    again = other.get_arrays()
    for name, value in np.load(io.BytesIO(interruption.kept["arrays"])).items():
        expect(name in again, f"array `{name}` is lost; there are {sorted(again)}")
        expect(
            value.shape == again[name].shape and value.dtype == again[name].dtype, f"array `{name}` changed its form"
        )
        expect(
            np.array_equal(value, again[name], equal_nan=value.dtype.kind == "f"), f"array `{name}` has other values"
        )


@promise(is_stateful_callback)
def resumes_as_if_uninterrupted(specimen):
    """A run that another process goes on with after its first epoch ends as the one that was not interrupted."""
    interruption = _Interruption(specimen.build())
    whole, weights = _fit(specimen, interruption.callback, interruption)
    callback = specimen.build()
    rest, again = _fit(specimen, callback, _Interruption(callback, interruption.kept), initial_epoch=1)
    for name, values in whole.items():
        resumed = rest.get(name, [])
        expect(len(resumed) == len(values) - 1, f"`{name}` has {len(values) - 1} epochs to go, {len(resumed)} were run")
        expect(np.allclose(values[1:], resumed), f"`{name}` was {values[1:]}, after the interruption {resumed}")
    for number, (left, right) in enumerate(zip(weights, again, strict=True)):
        expect(same_values(left, right, 1e-6), f"weight {number} after the interruption: {difference(left, right)}")
