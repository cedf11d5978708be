"""The states of the callbacks of a run, each told by its class and its place among those of that class."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

_PLAIN = (bool, int, float, str, type(None))


class CallbackStates:
    """Reads and sets the states of callbacks.

    Ours have `get_state`, and `get_arrays` where they hold arrays. Of any other callback, Keras' own for instance, the
    plain attributes count that have changed since training began: numbers, texts, arrays and lists of arrays.

    Args:
        callbacks: The callbacks, each after its `on_train_begin`.
    """

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback]):
        self._callbacks = _keyed(callbacks)
        self._begun = {key: _attributes(callback) for key, callback in self._callbacks.items()}

    def read(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return what JSON can hold, and the arrays, both by callback."""
        states, arrays = {}, {}
        for key, callback in self._callbacks.items():
            state, own = self._state(key, callback)
            if state or own:
                states[key] = state
                arrays |= {f"{key}/{name}": array for name, array in own.items()}
        return states, arrays

    def set(self, states: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[str]:
        """Give each callback its state, and return the keys of those that are not there."""
        for key in states.keys() & self._callbacks.keys():
            prefix = f"{key}/"
            own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
            _set_state(self._callbacks[key], states[key], own)
        return sorted(states.keys() - self._callbacks.keys())

    def _state(self, key, callback):
        if isinstance(callback, keras.callbacks.History):
            return {"epoch": list(callback.epoch), "history": callback.history}, {}
        if hasattr(callback, "get_state"):
            return callback.get_state(), callback.get_arrays() if hasattr(callback, "get_arrays") else {}
        begun = self._begun[key]
        changed = {name: value for name, value in _attributes(callback).items() if not _same(value, begun.get(name))}
        plain = {name: value for name, value in changed.items() if isinstance(value, _PLAIN)}
        lists = {name: len(value) for name, value in changed.items() if isinstance(value, list)}
        arrays = {name: value for name, value in changed.items() if isinstance(value, np.ndarray)}
        for name in lists:
            arrays |= {f"{name}/{place}": array for place, array in enumerate(changed[name])}
        return ({"plain": plain, "lists": lists} if changed else {}), arrays


def _set_state(callback, state, arrays):
    if isinstance(callback, keras.callbacks.History):
        callback.epoch, callback.history = list(state["epoch"]), {**state["history"]}
    elif hasattr(callback, "set_state"):
        callback.set_state(state)
        if hasattr(callback, "set_arrays"):
            callback.set_arrays(arrays)
    else:
        lists = {name: [arrays[f"{name}/{place}"] for place in range(size)] for name, size in state["lists"].items()}
        single = {name: array for name, array in arrays.items() if "/" not in name}
        for name, value in (state["plain"] | lists | single).items():
            setattr(callback, name, value)


def _keyed(callbacks):
    """Return the callbacks by class name and number among those of one name."""
    counts, keyed = {}, {}
    for callback in callbacks:
        name = type(callback).__name__
        counts[name] = counts.get(name, 0) + 1
        keyed[f"{name} {counts[name]}"] = callback
    return keyed


def _attributes(callback):
    """Return the attributes that a file can hold."""
    found = {}
    for name, value in vars(callback).items():
        value = value.item() if isinstance(value, np.generic) else value
        arrays = isinstance(value, list) and value and all(isinstance(item, np.ndarray) for item in value)
        if arrays or isinstance(value, (*_PLAIN, np.ndarray)):
            found[name] = value
    return found


def _same(left, right):
    if isinstance(left, (np.ndarray, list)):
        return left is right
    return type(left) is type(right) and left == right
