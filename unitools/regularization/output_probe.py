"""Reading and shifting what layers inside a model give out, without editing the model."""

import threading
from typing import Any

import tensorflow as tf

_THREAD = threading.local()  # Each replica of a distribution strategy is traced in a thread of its own.
_LOCK = threading.Lock()
_USERS = {}


class OutputProbe:
    """Notes the gradients of the loss with respect to what some layers give out, and adds shifts to that.

    Use as a context around `compute`. Nothing in the model changes but, for the time of the block, the layers' `call`.

    Args:
        layers: The layers.
        shifts: Tensors to add, one for each call of one of the layers in the order of the calls. Default: none.

    Example:
    >>> from unitools.regularization.output_probe import OutputProbe
    >>> layer = keras.layers.Embedding(3, 2, embeddings_initializer="ones")
    >>> with OutputProbe([layer], [np.full((1, 2), 4.0)]):
    ...     print(layer(np.array([1])).numpy())
    [[5. 5.]]
    """

    def __init__(self, layers: list, shifts: list = ()):
        self._layers = layers
        self._shifts = shifts
        self.gradients = None
        self.begin(None)

    def __enter__(self) -> "OutputProbe":
        _probes().append(self)
        with _LOCK:
            for layer in self._layers:
                _USERS[id(layer)] = _USERS.get(id(layer), 0) + 1
                layer.__dict__.setdefault("call", _Dispatch(layer))
        return self

    def __exit__(self, *error: Any) -> None:
        _probes().remove(self)
        with _LOCK:
            for layer in self._layers:
                _USERS[id(layer)] -= 1
                if not _USERS[id(layer)]:
                    del _USERS[id(layer)], layer.__dict__["call"]

    def begin(self, tape: tf.GradientTape | None) -> None:
        """Begin a pass under a tape."""
        self._tape, self.outputs = tape, []

    def pass_through(self, layer: Any, output: Any) -> Any:
        """Return what the layer gives out, shifted, and note it."""
        if not any(layer is mine for mine in self._layers):
            return output
        if self._shifts:
            output = output + tf.cast(self._shifts[len(self.outputs)], output.dtype)
        if self._tape is not None:
            self._tape.watch(output)
        self.outputs.append(output)
        return output


class _Dispatch:
    """Stands for a layer's `call` while a probe is on it."""

    def __init__(self, layer):
        self._layer, self._call = layer, layer.call

    def __call__(self, *args, **kwargs):
        output = self._call(*args, **kwargs)
        for probe in _probes():
            output = probe.pass_through(self._layer, output)
        return output


def watch_outputs(tape: tf.GradientTape) -> None:
    """Let the probes of this thread listen to a pass."""
    for probe in _probes():
        probe.begin(tape)


def gradients_and_outputs(tape: tf.GradientTape, loss: Any, values: list) -> list:
    """Return the gradients with respect to `values`. Probes that have none yet get theirs of the same tape."""
    waiting = [probe for probe in _probes() if probe.gradients is None]
    found = tape.gradient(loss, [values, [probe.outputs for probe in waiting]])
    for probe, gradients in zip(waiting, found[1], strict=True):
        probe.gradients = gradients
    return found[0]


def _probes():
    if not hasattr(_THREAD, "probes"):
        _THREAD.probes = []
    return _THREAD.probes
