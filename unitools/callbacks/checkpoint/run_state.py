"""The state of a run: taken between two steps, and put back."""

import json
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from unitools.callbacks.checkpoint.callback_states import CallbackStates
from unitools.callbacks.checkpoint.checkpoint import Checkpoint
from unitools.callbacks.checkpoint.data_position import DataPosition
from unitools.callbacks.checkpoint.optimizers import optimizers_of
from unitools.callbacks.checkpoint.random_states import read_random_states, set_random_states
from unitools.callbacks.checkpoint.variables import assign_variables, read_variables


class RunState:
    """Takes all that decides how a run goes on, and puts it back.

    Args:
        model: The model.
        callbacks: The callbacks of the run, each after its `on_train_begin`.
        data: Position in the training data.
        validation: Position in the validation data.
        identity: What run this is, as `describe_run` gives it.
        extra: More variables of the run: those of a loop of its own.
    """

    def __init__(
        self,
        model: keras.Model,
        callbacks: Sequence[keras.callbacks.Callback],
        data: DataPosition,
        validation: DataPosition,
        identity: dict[str, Any],
        extra: Sequence[keras.Variable] = (),
    ):
        self._model, self._callbacks = model, CallbackStates(callbacks)
        self._data, self._validation = data, validation
        self._identity, self._extra = identity, extra
        self._taken = {}

    def take(self, epoch: int, step: int, logs: dict[str, float] | None) -> Checkpoint:
        """Return the state before a step, copied; over the arrays of the call before, which are those of variables."""
        states, arrays = self._callbacks.read()
        for name, variables in self._groups().items():
            self._taken[name] = read_variables(variables, self._taken.get(name))
        arrays = {name: np.array(array) for name, array in arrays.items()}
        state = {
            "identity": self._identity,
            "callbacks": states,
            "random": read_random_states(),
            "data": self._data.state(),
            "validation": self._validation.state(),
            "logs": {name: float(value) for name, value in (logs or {}).items()},
            "stop_training": bool(self._model.stop_training),
        }
        # As text and back: a copy, while callbacks and history go on; and what no file could hold is found now.
        return Checkpoint(
            epoch, step, self._taken | {"callbacks": arrays}, json.loads(json.dumps(state, default=_plain))
        )

    def put_back(self, checkpoint: Checkpoint) -> list[str]:
        """Go to a state, scores of the epoch excepted; return what found no place."""
        state = checkpoint.state
        # First, as a callback may change what is trained.
        missing = self._callbacks.set(state["callbacks"], checkpoint.arrays["callbacks"])
        for name, variables in self._groups().items():
            if name != "metrics":
                missing += assign_variables(variables, checkpoint.arrays[name])
        set_random_states(state["random"])
        self._data.restore(state["data"])
        self._validation.restore(state["validation"])
        return missing

    def put_back_scores(self, checkpoint: Checkpoint) -> None:
        """Set the sums behind the scores of the epoch, after `fit` has reset them."""
        assign_variables(self._model.metrics_variables, checkpoint.arrays["metrics"])

    def _groups(self):
        return {
            "model": self._model.variables,
            "optimizer": [variable for optimizer in optimizers_of(self._model) for variable in optimizer.variables],
            "metrics": self._model.metrics_variables,
            "loop": self._extra,
        }


def _plain(value):
    """Return a number of NumPy or TensorFlow as JSON holds it."""
    if getattr(value, "shape", None) == ():
        return np.asarray(value).item()
    given = type(value).__name__
    raise TypeError(f"The state of a callback must be what JSON holds, and arrays in `get_arrays`. Received a {given}.")
