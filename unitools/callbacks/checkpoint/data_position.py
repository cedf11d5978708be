"""Where a run is in its data."""

from typing import Any

import numpy as np
import tensorflow as tf

from unitools.core.checks import fail


class DataPosition:
    """Counts the batches that were trained on, whatever was drawn ahead of them.

    Args:
        data: What knows its position (`state_dict`, `load_state_dict`, `len`), as `unitools.data.Batches` does; or
            None where each pass goes through the same batches in the same order.
        length: Batches of a pass of the latter, where known.
    """

    def __init__(self, data: Any = None, length: int | None = None):
        self._data = data
        self._length = length if data is None else len(data)
        self._state = {"epoch": 0, "step": 0} if data is None else data.state_dict()

    @property
    def is_seekable(self) -> bool:
        """Whether the data themselves can go to a position."""
        return self._data is not None

    @property
    def step(self) -> int:
        """Batches of the pass that were trained on."""
        return self._state["step"]

    @property
    def length(self) -> int | None:
        """Batches of a pass, where known."""
        return self._length

    @property
    def is_between_passes(self) -> bool:
        """Whether the next batch is the first of a pass. Where nothing is known of passes: False."""
        return bool(self._length) and self.step == 0

    def begin_pass(self) -> None:
        """Note that the next batch is the first of a pass. Seekable data know."""
        if self._data is None:
            self._state["step"] = 0

    def advance(self, steps: int) -> None:
        """Note that so many batches were trained on."""
        passes, step = divmod(self._state["step"] + steps, self._length) if self._length else (0, self.step + steps)
        self._state = {"epoch": self._state["epoch"] + passes, "step": step}

    def finish_pass(self) -> None:
        """Note that the pass that was begun has come to its end, whatever is known of its last batches."""
        if self._length and self.step:
            self.advance(self._length - self.step)

    def end_pass(self, steps: int) -> None:
        """Note a pass of so many batches. Seekable data that were left before their end begin there once more."""
        if self._length and steps >= self._length:
            self.advance(self._length)

    def state(self) -> dict[str, int]:
        """Return the position as JSON holds it."""
        return dict(self._state)

    def restore(self, state: dict[str, int]) -> None:
        """Go to a position."""
        if self._data is not None:
            self._data.load_state_dict(state)
        self._state = dict(state)


def is_seekable(data: Any) -> bool:
    """Return whether data know their position."""
    return hasattr(data, "state_dict") and hasattr(data, "load_state_dict") and hasattr(data, "__len__")


def position_of(data: Any, shuffled: bool, allow: bool, length: int | None = None) -> DataPosition:
    """Return the position in what `fit` was given.

    Args:
        data: First argument of `fit`.
        shuffled: Whether `fit` shuffles arrays.
        allow: Whether data of unknown order are taken for data of one order.
        length: Batches of a pass through them, where known.

    Raises:
        ValueError: The order of the data is not known.
    """
    if is_seekable(data):
        return DataPosition(data)
    arrays = all(isinstance(leaf, (np.ndarray, tf.Tensor)) for leaf in tf.nest.flatten(data))
    if not allow and (shuffled or not arrays):
        order = "arrays that `fit` shuffles" if arrays else type(data).__name__
        fail(
            "data",
            order,
            "batches that know their position",
            "Give `fit` the `batches(...)` of a unitools reader. Where they went through `map` or `repeat`, say what "
            "they were made of: `resume.data = batches`. Arrays need shuffle=False. For other data that give the same "
            "batches in the same order in each epoch: allow=('order',).",
        )
    return DataPosition(length=length)


def describe_data(data: Any) -> dict[str, Any]:
    """Return what tells these data from others."""
    if hasattr(data, "identity"):
        return data.identity()
    if isinstance(data, tf.data.Dataset):
        return {"class": "Dataset", "elements": str(data.element_spec)}
    shapes = [str(getattr(leaf, "shape", "")) for leaf in tf.nest.flatten(data)]
    return {"class": type(data).__name__, "shapes": shapes}
