"""The epoch in which a run goes on."""

from collections.abc import Callable
from typing import Any

import keras


def begin_at(epoch_iterator: Any, step: int | None, seen: int, skip: int) -> None:
    """Let the next pass of Keras' epoch iterator begin at a step; those after it are its own again.

    Args:
        epoch_iterator: A `TFEpochIterator`.
        step: Step that comes first, or None: the pass has no more steps.
        seen: Batches that the pass through the data has given before.
        skip: Batches to pass over first, where the data cannot go to a position themselves.
    """
    own = epoch_iterator._enumerate_iterator

    def from_step():
        epoch_iterator._enumerate_iterator = own
        epoch_iterator.data_adapter.on_epoch_begin()
        if step is not None or epoch_iterator.steps_per_epoch:
            _open(epoch_iterator, seen, skip)
        if step is not None:
            yield from _steps(epoch_iterator, step)
        epoch_iterator.data_adapter.on_epoch_end()

    epoch_iterator._enumerate_iterator = from_step


def _open(epoch_iterator, seen, skip):
    """Begin a pass through the data where it was. With `steps_per_epoch`, Keras goes on with it in the next epoch."""
    iterator = iter(epoch_iterator._get_iterator())
    for _ in range(skip):
        next(iterator)
    epoch_iterator._current_iterator, epoch_iterator._steps_seen = iterator, seen


def _steps(epoch_iterator, step):
    iterator, stride = epoch_iterator._current_iterator, epoch_iterator.steps_per_execution
    while epoch_iterator.num_batches is None or step < epoch_iterator.num_batches:
        if _is_at_end(epoch_iterator):
            break
        epoch_iterator._steps_seen += stride
        yield step, step + stride - 1, iterator
        step += stride
    if _is_at_end(epoch_iterator):
        epoch_iterator._current_iterator = None


def _is_at_end(epoch_iterator):
    length = epoch_iterator._num_batches
    return length and epoch_iterator._steps_seen >= length


def without_steps(model: keras.Model, logs: dict[str, float]) -> Callable[[], None]:
    """Let `fit` take these logs for those of the last step, which it has not seen. Returns what ends that.

    An epoch whose steps are all done, but not its validation, has no step that would give logs.
    """
    own = model._get_metrics_result_or_logs
    model._get_metrics_result_or_logs = lambda _: own(logs)

    def end():
        del model._get_metrics_result_or_logs

    return end
