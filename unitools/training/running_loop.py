"""The `fit` of a loop that is running, as a callback that resumes it sees it."""

from typing import Any

import keras

from unitools.callbacks.checkpoint.batch_spec import spec_of_batch
from unitools.training.loop_data import LoopData


class RunningLoop:
    """What `Loop.fit` hands to the callbacks that have a method `attach`, before training begins.

    Args:
        loop: The loop.
        data: Its data.
        epochs: Number of the last epoch.
        validation: What is given to `evaluate` after each epoch, or None.
        callback_list: The callbacks.

    Attributes:
        accumulate_steps: Micro-batches to a step of the optimizer.
        variables: What the loop has to save beside model, optimizer and metrics.
        data: Training data, as given.
        validation: Inputs of validation, as given, or None.
        num_steps: Steps an epoch, None where not known.
        num_batches: Batches of a pass through the data, None where not known.
        continues: Whether an epoch goes on in the data where the one before has ended.
        batch_spec: Shapes and types of a batch, in one replica.
        shuffled: False: the loop takes batches in the order in which they come.
        batch_size: None: data come in batches.
    """

    shuffled, batch_size = False, None

    def __init__(
        self, loop: Any, data: LoopData, epochs: int, validation: Any, callback_list: keras.callbacks.CallbackList
    ):
        self._loop, self._data = loop, data
        self.epochs, self.callback_list = epochs, callback_list
        self.validation = keras.utils.unpack_x_y_sample_weight(validation)[0]
        self.accumulate_steps = loop.accumulate_steps
        self.data, self.variables = data.given, loop.variables
        self.num_steps, self.num_batches, self.continues = data.num_steps, data.num_batches, data.continues
        self.batch_spec = spec_of_batch(data.distributed)

    def begin_at(self, epoch: int, step: int | None, skip: int | None = None) -> None:
        """Go on at a step: `Loop.begin_at`."""
        self._loop.begin_at(epoch, step, skip)
