"""The `fit` that a callback runs in, as seen from the callback.

Keras tells a callback neither the data nor the other callbacks. Both are local variables of `fit`, so they are read
from its frame, for as long as the call of the callback lasts.
"""

import sys
from dataclasses import dataclass
from typing import Any

import keras

from unitools.callbacks.checkpoint.batch_spec import spec_of_batch


@dataclass
class RunningFit:
    """What `fit` was given.

    Args:
        callback_list: The callbacks of the run.
        epoch_iterator: Keras' iterator over the batches of an epoch.
        data: Training data, as given.
        validation: Validation data, as given, or None.
        shuffled: Whether arrays are shuffled.
        epochs: Number of the last epoch.

    Attributes:
        accumulate_steps: 1: where gradients are accumulated, the optimizer does it.
    """

    callback_list: keras.callbacks.CallbackList
    epoch_iterator: Any
    data: Any
    validation: Any
    shuffled: bool
    epochs: int
    accumulate_steps = 1

    @property
    def num_steps(self) -> int | None:
        """Steps of an epoch, where they are known."""
        return self.epoch_iterator.num_batches

    @property
    def num_batches(self) -> int | None:
        """Batches of a pass through the data, where they are known."""
        return self.epoch_iterator._num_batches

    def take_length(self, length: int | None) -> None:
        """Tell Keras how many batches a pass has, where it does not know.

        Otherwise it finds the end of each pass by a step that fails. By then that step may have moved random states on,
        or not: such a run does not repeat.
        """
        if self.num_steps is None:
            self.epoch_iterator._num_batches = length

    @property
    def continues(self) -> bool:
        """Whether an epoch goes on in the data where the one before ended."""
        return self.epoch_iterator.steps_per_epoch is not None

    @property
    def batch_spec(self) -> tuple:
        """Shapes and types of a batch in one replica."""
        return spec_of_batch(self.epoch_iterator._distributed_dataset)

    @property
    def batch_size(self) -> int | None:
        """Batch size: the one by which Keras cuts arrays, or that of the batches given, where it is fixed."""
        cut = getattr(self.epoch_iterator.data_adapter, "_batch_size", None)
        return keras.tree.flatten(self.batch_spec)[0].shape[0] if cut is None else cut


def callback_list_above() -> keras.callbacks.CallbackList | None:
    """Return the list whose method called the callback's method that called this, or None."""
    owner = sys._getframe(2).f_locals.get("self")
    return owner if isinstance(owner, keras.callbacks.CallbackList) else None


def running_fit(model: keras.Model) -> RunningFit | None:
    """Return the `fit` of a model that is running, or None."""
    frame = _fit_frame(sys._getframe(1), model)
    if frame is None:
        return None
    seen = frame.f_locals
    return RunningFit(
        callback_list=seen["callbacks"],
        epoch_iterator=seen["epoch_iterator"],
        data=seen["x"],
        validation=None if seen.get("validation_data") is None else seen["val_x"],
        shuffled=bool(seen["shuffle"]),
        epochs=seen["epochs"],
    )


def is_fitting(model: keras.Model, frame: Any) -> bool:
    """Return whether the frame is one inside `fit` of a model, or of a loop that trains it."""
    while frame is not None:
        owner = frame.f_locals.get("self") if frame.f_code.co_name == "fit" else None
        if owner is model or (hasattr(owner, "begin_at") and owner.model is model):
            return True
        frame = frame.f_back
    return False


def _fit_frame(frame, model):
    while frame is not None:
        if frame.f_code.co_name == "fit" and frame.f_locals.get("self") is model and "epoch_iterator" in frame.f_locals:
            return frame
        frame = frame.f_back
    return None
