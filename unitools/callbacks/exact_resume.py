"""A run that was killed goes on as if it had not been."""

from collections.abc import Sequence
from typing import Any

import keras

from unitools.callbacks.checkpoint.checkpoint_store import CheckpointStore
from unitools.callbacks.checkpoint.checkpointed_run import CheckpointedRun
from unitools.callbacks.checkpoint.resumed_epoch import begin_at, without_steps
from unitools.callbacks.checkpoint.run_identity import KINDS
from unitools.callbacks.checkpoint.running_fit import RunningFit, callback_list_above, running_fit
from unitools.callbacks.checkpoint.save_clock import SaveClock
from unitools.callbacks.checkpoint.shared_flag import SharedFlag
from unitools.callbacks.checkpoint.termination import Termination
from unitools.callbacks.checkpoint.workers import is_alone
from unitools.callbacks.status_line import print_below
from unitools.core import Component, register
from unitools.core.checks import check_flag, check_integer, fail

_TERMINATED = 143
"""Exit status of a process that SIGTERM ended: 128 + 15."""


@register
class ExactResume(Component, keras.callbacks.Callback):
    """Saves a run every few steps, and lets the next `fit` with the same folder go on from there.

    Why: Keras' BackupAndRestore replays an epoch, forgets random states and what callbacks have counted, and can leave
    a file that nobody can read. Here the run that was killed, at any moment, ends with the weights, the optimizer, the
    history and the callbacks' decisions of the run that was not; on a CPU bit for bit, given deterministic operations.

    Call `fit` in the new process as in the old one. It restores weights, optimizer, random states of layers and of
    Python, NumPy and Keras, the sums behind the scores, the states of all callbacks, the history and the position in
    the data, and goes on with the step that comes next. A run that is finished is not trained again: `fit` returns its
    history. Random numbers of `tf.random` without a seed of their own cannot be restored.

    A checkpoint is a folder: safetensors, JSON, and a manifest with SHA-256, written aside, forced to the disk and
    renamed. The newest one that is whole is taken, and what was passed over is said. Where one cannot be written, as on
    a full disk, training goes on and says so. SIGTERM saves and ends the process with status 143.

    The data must know their position, as the `batches(...)` of the readers do. Arrays need `shuffle=False`.

    Args:
        folder: Folder of this run. One run at a time.
        every: Steps that a kill may cost at most, >= 1. Default 50. So often a checkpoint is written, or some steps
            earlier, by as many as it takes.
        keep: Checkpoints kept, >= 1. Default 3.
        allow: What may differ from the run that is resumed: "model" (variables of one name and shape are restored),
            "optimizer" (the same), "data" and "batch_size" (the epoch begins again), "seed", "callbacks" (those missing
            are forgotten); "order": data of unknown order are taken to come in one order each epoch. Default: none.
        background: Whether checkpoints are written in a thread, beside the training. Default True.

    Attributes:
        data: Set it where `fit` is given what was made of batches, one of each, as by `map`: the batches. Default None.

    Raises:
        ValueError: An argument is out of range; or, like what follows, when `fit` begins: the order of the data is not
            known.
        DifferentRunError: The folder holds a run with another model, optimizer, data, batch size, seed or callbacks.
        CheckpointVersionError: A newer version of unitools wrote the folder.
        CheckpointError: The folder cannot be written to, another process trains into it, or no checkpoint is whole.

    Example:
    >>> import keras, numpy
    >>> import unitools as ut
    >>> def train(epochs):
    ...     keras.utils.set_random_seed(1)
    ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dropout(0.5), keras.layers.Dense(1)])
    ...     model.compile("adam", "mse")
    ...     resume = ut.callbacks.ExactResume("run", every=1)
    ...     x, y = numpy.ones((8, 2)), numpy.ones((8, 1))
    ...     return model.fit(x, y, epochs=epochs, shuffle=False, verbose=0, callbacks=[resume]).history["loss"]
    >>> first = train(epochs=1)
    >>> both = train(epochs=2)
    run: goes on at epoch 2
    >>> both[0] == first[0]
    True
    """

    def __init__(
        self,
        folder: str,
        *,
        every: int = 50,
        keep: int = 3,
        allow: Sequence[str] = (),
        background: bool = True,
    ):
        super().__init__()
        if not isinstance(folder, str) or not folder:
            fail("folder", folder, "the path of a folder, as a string")
        self.folder = folder
        self.every = check_integer("every", every, 1)
        self.keep = check_integer("keep", keep, 1)
        if isinstance(allow, str) or not set(allow) <= set(KINDS):
            fail("allow", allow, "a list of " + ", ".join(map(repr, KINDS)))
        self.allow = tuple(allow)
        self.background = check_flag("background", background)
        self.data = None
        self._loop = None

    def attach(self, loop: Any) -> None:
        """Say which loop trains, where it is not Keras' `fit`: an object with what `RunningFit` holds.

        Args:
            loop: Has `callback_list`, `data`, `validation`, `shuffled`, `epochs`, `num_steps`, `num_batches`,
                `continues`, `batch_size`, `batch_spec`, `accumulate_steps`, `variables`, and
                `begin_at(epoch, step, skip)`.
        """
        self._loop = loop

    def set_model(self, model: keras.Model) -> None:
        """Take the model, and the last place among the callbacks: the others' states are then those after a step."""
        super().set_model(model)
        above = callback_list_above()
        if above is not None:
            above.callbacks = [callback for callback in above.callbacks if callback is not self] + [self]

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Restore the newest checkpoint."""
        loop, self._loop = self._loop, None
        self._fit = loop or running_fit(self.model)
        if self._fit is None:
            raise RuntimeError("ExactResume must run inside `fit` of a Keras model, or of `unitools.training.Loop`.")
        self._epoch = self._step = self._tested = 0
        # How long a disk takes, one worker alone would know.
        self._clock = SaveClock(self.every, self.background and is_alone(self.model))
        self._end_stand_in = None
        self._run = CheckpointedRun(
            self.model, self._fit, CheckpointStore(self.folder, self.keep),
            data=self.data, allow=self.allow, background=self.background,
        )  # fmt: skip
        if isinstance(self._fit, RunningFit):
            self._fit.take_length(self._run.data.length)
        self._run.watch([callback for callback in self._fit.callback_list.callbacks if callback is not self])
        self._resumed = self._run.restore()
        if self._resumed is not None:
            self._go_on(self._resumed)
        self._termination, self._stop = Termination(self.model), SharedFlag(self.model)
        self._termination.watch()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Restore the sums of an epoch that was begun."""
        resumed, self._resumed = self._resumed, None
        self._epoch, self._step = epoch, 0 if resumed is None else resumed.step
        self.model._initial_epoch = None
        if not self._step and not self._fit.continues:
            self._run.data.begin_pass()
        if self._step:
            self._run.restore_scores(resumed)
            self.model.stop_training = resumed.state["stop_training"]
            if self._has_no_steps(resumed):
                self._end_stand_in = without_steps(self.model, resumed.state["logs"])

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Save, where it is time to."""
        last = self._fit.num_steps
        done = batch + 1 if last is None else min(batch + 1, last)
        steps, self._step = done - self._step, done
        self._run.data.advance(steps)
        self._clock.advance(steps, self._run.is_writing)
        before_validation = self._is_over(done) and self._fit.validation is not None
        must_leave = self._must_leave()
        if self._clock.is_due(steps) or before_validation or must_leave:
            self._save(self._epoch, done, logs)
        if self._clock.must_wait(steps):
            self._run.wait()
            self._clock.written()
        if must_leave:
            self._leave()

    def on_test_begin(self, logs: dict | None = None) -> None:
        """End what stood in for the steps that were done before."""
        self._end_resumed_epoch()
        self._tested = 0

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Leave on SIGTERM. The state before validation has been saved."""
        self._tested = batch + 1
        if self._must_leave():
            self._leave()

    def on_test_end(self, logs: dict | None = None) -> None:
        """Note that a pass was made through the validation data."""
        self._run.validation.end_pass(self._tested)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Save the epoch with its scores."""
        self._end_resumed_epoch()
        if not self._fit.continues and not self.model.stop_training:
            self._run.data.finish_pass()
        self._save(epoch + 1, 0)
        if self._must_leave():
            self._leave()

    def on_train_end(self, logs: dict | None = None) -> None:
        """Wait for the last checkpoint, and let go of the folder."""
        self._termination.end()
        self._run.close()
        self.model._initial_epoch = None

    def _go_on(self, checkpoint):
        finished = checkpoint.epoch >= self._fit.epochs or (checkpoint.state["stop_training"] and not checkpoint.step)
        place = f"epoch {checkpoint.epoch + 1}"
        if checkpoint.step:
            ended = self._has_no_steps(checkpoint)
            place += ", behind its last step" if ended else f", step {checkpoint.step + 1}"
        print_below(f"{self.folder}: " + ("the run is finished" if finished else f"goes on at {place}"))
        epoch = self._fit.epochs if finished else checkpoint.epoch
        data = self._run.data
        skip = 0 if data.is_seekable else data.step
        first = None if self._has_no_steps(checkpoint) else checkpoint.step
        if not isinstance(self._fit, RunningFit):
            self._fit.begin_at(epoch, first, skip)
            return
        self.model._initial_epoch = epoch
        begin_at(self._fit.epoch_iterator, first, data.step, skip)

    def _has_no_steps(self, checkpoint):
        """Return whether a checkpoint lies behind the last step of its epoch."""
        return checkpoint.step and (self._is_over(checkpoint.step) or checkpoint.state["stop_training"])

    def _is_over(self, steps):
        """Return whether an epoch has no more steps than these, all done. Data of unknown length may not tell."""
        return steps == self._fit.num_steps or (not self._fit.continues and self._run.data.is_between_passes)

    def _save(self, epoch, step, logs=None):
        self._clock.begin()
        self._run.save(epoch, step, logs)

    def _must_leave(self):
        """Return whether SIGTERM has come, to any worker."""
        return self._stop.any(self._termination.requested)

    def _leave(self):
        self._termination.end()
        self._run.close()
        print_below(f"{self.folder}: SIGTERM. The run can go on from here.")
        raise SystemExit(_TERMINATED)

    def _end_resumed_epoch(self):
        if self._end_stand_in is not None:
            self._end_stand_in()
            self._end_stand_in = None
