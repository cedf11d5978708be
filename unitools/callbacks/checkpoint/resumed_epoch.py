"""The epoch in which a run goes on."""

from collections.abc import Callable
from typing import Any

import keras


def begin_at(epoch_iterator: Any, step: int, steps_seen: int, skip: int) -> None:
    """Let the next pass of Keras' epoch iterator begin at a step; those after it are its own again.

    Args:
        epoch_iterator: A `TFEpochIterator`.
        step: Step that comes first.
        steps_seen: Batches of the pass through the data that were drawn before it.
        skip: Batches to pass over first, where the data cannot go to a position themselves.
    """
    own = epoch_iterator._enumerate_iterator

    def from_step():
        epoch_iterator._enumerate_iterator = own
        yield from _steps(epoch_iterator, step, steps_seen, skip)

    epoch_iterator._enumerate_iterator = from_step


def _steps(epoch_iterator, step, steps_seen, skip):
    num_steps, stride = epoch_iterator.num_batches, epoch_iterator.steps_per_execution
    if num_steps is not None and step >= num_steps:
        return
    iterator = iter(epoch_iterator._get_iterator())
    for _ in range(skip):
        next(iterator)
    # Keras goes on with this iterator in the next epoch where `steps_per_epoch` is given.
    epoch_iterator._current_iterator = iterator
    epoch_iterator._steps_seen = steps_seen
    while num_steps is None or step < num_steps:
        epoch_iterator._steps_seen += stride
        yield step, step + stride - 1, iterator
        step += stride


def without_steps(model: keras.Model, logs: dict[str, float]) -> Callable[[], None]:
    """Let `fit` take these logs for those of the last step, which it has not seen. Returns what ends that.

    An epoch whose steps are all done, but not its validation, has no step that would give logs.
    """
    own = model._get_metrics_result_or_logs
    model._get_metrics_result_or_logs = lambda _: own(logs)

    def end():
        del model._get_metrics_result_or_logs

    return end
