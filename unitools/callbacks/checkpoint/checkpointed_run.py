"""A run with its checkpoints."""

from collections.abc import Sequence
from typing import Any

import keras

from unitools.callbacks.checkpoint.build_state import build_metrics, build_state
from unitools.callbacks.checkpoint.checkpoint import Checkpoint
from unitools.callbacks.checkpoint.checkpoint_error import CheckpointError
from unitools.callbacks.checkpoint.checkpoint_store import CheckpointStore
from unitools.callbacks.checkpoint.checkpoint_writer import CheckpointWriter
from unitools.callbacks.checkpoint.data_position import DataPosition, is_seekable, position_of
from unitools.callbacks.checkpoint.run_identity import DifferentRunError, check_same_run, describe_run
from unitools.callbacks.checkpoint.run_state import RunState
from unitools.callbacks.checkpoint.workers import is_chief
from unitools.callbacks.status_line import print_below


class CheckpointedRun:
    """Writes the state of a run to a folder, and puts the newest one back.

    Args:
        model: The model, compiled.
        run: What trains it: a `RunningFit`, or a loop with the same attributes.
        store: Where the checkpoints are.
        data: What was made into the run's data, where they do not know their position. Default None.
        allow: What may differ from the run that is resumed.
        background: Whether checkpoints are written in a thread.

    Raises:
        ValueError: The order of the data is not known.
        CheckpointError: The folder cannot be used.
    """

    def __init__(
        self,
        model: keras.Model,
        run: Any,
        store: CheckpointStore,
        *,
        data: Any = None,
        allow: Sequence[str] = (),
        background: bool = True,
    ):
        self._model, self._run, self._store, self._allow = model, run, store, allow
        given = run.data if data is None else data
        self.data = position_of(given, run.shuffled, "order" in allow, run.num_batches)
        self.validation = DataPosition(run.validation if is_seekable(run.validation) else None)
        self._writes = is_chief(model)
        if self._writes:
            store.open()
        self._writer = CheckpointWriter(store, background, self._say_unwritten)
        build_state(model, run)
        self._identity = describe_run(model, given, run)

    def watch(self, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        """Take callbacks, each after its `on_train_begin`, as part of the state."""
        extra = getattr(self._run, "variables", ())
        self._state = RunState(self._model, callbacks, self.data, self.validation, self._identity, extra)

    def restore(self) -> Checkpoint | None:
        """Go to the newest checkpoint that is whole, scores of the epoch excepted. Returns None where there is none.

        Raises:
            DifferentRunError: It belongs to another run.
            CheckpointError: There are checkpoints, and none is whole.
        """
        checkpoint, skipped = self._store.newest()
        for text in skipped:
            print_below(f"{self._store}: passed over {text}")
        if checkpoint is not None:
            self._put_back(checkpoint)
        elif skipped:
            raise CheckpointError(
                f"`folder` must hold a checkpoint that is whole, or none. Received folder='{self._store}', where none "
                f"of {len(skipped)} is: {'; '.join(skipped)}. Give another folder to begin anew."
            )
        return checkpoint

    def restore_scores(self, checkpoint: Checkpoint) -> None:
        """Set the sums behind the scores of the epoch, after they have been reset."""
        build_metrics(self._model, self._run)
        self._state.put_back_scores(checkpoint)

    def save(self, epoch: int, step: int, logs: dict[str, float] | None = None) -> None:
        """Write the state before a step."""
        self._writer.wait()  # it may be writing the arrays that are written over now
        checkpoint = self._state.take(epoch, step, logs)
        if self._writes:
            self._writer.write(checkpoint)

    @property
    def is_writing(self) -> bool:
        """Whether a checkpoint is not yet on the disk."""
        return self._writer.is_busy

    def wait(self) -> None:
        """Wait until nothing is being written."""
        self._writer.wait()

    def close(self) -> None:
        """Wait, and let other processes use the folder."""
        self._writer.wait()
        self._store.close()

    def _put_back(self, checkpoint):
        where = f"`folder` ({self._store})"
        different = check_same_run(checkpoint.state["identity"], self._identity, self._allow, where)
        if {"data", "batch_size"} & set(different):
            checkpoint.step = 0
            checkpoint.state["data"]["step"] = 0
        missing = self._state.put_back(checkpoint)
        if missing and not {"model", "optimizer", "callbacks"} & set(self._allow):
            raise DifferentRunError(
                f"{where} must hold a run of the same callbacks. It holds the state of {', '.join(missing)}, which is "
                "not there. Give the callbacks of before, or allow=('callbacks',) to go on without."
            )
        if self._writes:
            self._store.set_aside(checkpoint.epoch, checkpoint.step)

    def _say_unwritten(self, checkpoint, error):
        print_below(f"{self._store}: {checkpoint.name} could not be written ({error}). Training goes on.")
