"""How fast training goes."""

import time
from typing import Any

import keras
import numpy as np

from unitools.callbacks.counted_examples import counted_examples
from unitools.callbacks.data_wait import DataWait
from unitools.callbacks.status_line import print_below
from unitools.callbacks.step_times import figures, figures_text
from unitools.core.checks import check_flag
from unitools.core.component import Component, register


@register
class Throughput(Component, keras.callbacks.Callback):
    """Measures examples and steps a second, the time of a step, the wait for data and the peak of memory, by epoch.

    `epochs` holds the figures of each epoch, `totals` those of the run: `examples_per_s`, `steps_per_s`,
    `step_ms_median`, `step_ms_p90`, `data_wait_share` and `rss_peak_mib`, None where one cannot be told.

    Why: which of data, step and memory to work on is a question of numbers, and one mean over an epoch with its tracing
    and validation answers none.

    A step's time goes from the end of the step before it to its own end, so that it holds data, step and the other
    callbacks. The first step of each `fit`, in which TensorFlow traces the graph, is left out, and so is validation.
    With `steps_per_execution` a step is one call of the step function. Examples are those that Keras' loss counts.

    Args:
        log: Whether the figures that are known are logged, so that `History` and the callbacks after this one see them.
            Default True.
        print_line: Whether a line an epoch is printed. Default False.
        data_wait: Whether the wait for data is measured: each batch is then taken from the data before the step is
            called. Default False. Needs `steps_per_execution=1`.

    Raises:
        ValueError: An argument is out of range. From `fit`: `data_wait` with several steps a call.

    Example:
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> speed = ut.callbacks.Throughput()
    >>> history = model.fit(np.ones((8, 2)), np.ones(8), batch_size=2, verbose=0, callbacks=[speed]).history
    >>> history["examples_per_s"][0] == speed.epochs[0]["examples_per_s"] > 0
    True
    """

    def __init__(self, *, log: bool = True, print_line: bool = False, data_wait: bool = False):
        super().__init__()
        self.log = check_flag("log", log)
        self.print_line = check_flag("print_line", print_line)
        self.data_wait = check_flag("data_wait", data_wait)
        self._reset()

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Begin to measure."""
        self._reset()
        self._wait = DataWait(self.model) if self.data_wait else None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Begin an epoch."""
        if self._epoch != epoch:
            self._epoch, self._seconds, self._examples, self._waited = epoch, [], 0.0, 0.0
        self._mark(counted=0.0)

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Time the wait for the batch."""
        if self._wait is not None:
            self._wait.attach()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Note the time of the step."""
        if self._traced:
            now = time.perf_counter()
            self._seconds.append(now - self._last)
            self._last = now
        else:
            self._traced = True
            self._mark(counted=counted_examples(self.model))

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Count the epoch's examples before validation counts its own."""
        self._count()
        self._counting = False

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Tell the figures of the epoch."""
        self._count()
        self.epochs.append(figures(self._seconds, self._examples, self._waited if self.data_wait else None))
        self._all_seconds += self._seconds
        self._all_examples += self._examples
        self._all_waited += self._waited
        self._epoch = None
        known = {name: value for name, value in self.epochs[-1].items() if value is not None}
        if self.log and logs is not None:
            logs.update(known)
        if self.print_line:
            print_below(f"epoch {epoch + 1}  {figures_text(known)}")

    def on_train_end(self, logs: dict | None = None) -> None:
        """Leave the model's training function as it was."""
        if self._wait is not None:
            self._wait.end()
            self._wait = None

    @property
    def totals(self) -> dict[str, Any]:
        """The figures of all epochs that have ended."""
        return figures(self._all_seconds, self._all_examples, self._all_waited if self.data_wait else None)

    def get_state(self) -> dict[str, Any]:
        """Return all but the times of the steps, which are arrays."""
        self._count()
        running = {"epoch": self._epoch, "examples": self._examples, "waited": self._waited}
        return running | {
            "all_examples": self._all_examples,
            "all_waited": self._all_waited,
            "epochs": [dict(epoch) for epoch in self.epochs],
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned. The next step is the first one of this process, and is left out."""
        self._epoch, self._examples, self._waited = state["epoch"], state["examples"], state["waited"]
        self._all_examples, self._all_waited = state["all_examples"], state["all_waited"]
        self.epochs = [dict(epoch) for epoch in state["epochs"]]
        self._counting = False

    def get_arrays(self) -> dict[str, np.ndarray]:
        """Return the times of the steps, of the epoch and of those before it."""
        return {"seconds": np.asarray(self._seconds), "all_seconds": np.asarray(self._all_seconds)}

    def set_arrays(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from what `get_arrays` returned."""
        self._seconds, self._all_seconds = (arrays[name].tolist() for name in ("seconds", "all_seconds"))

    def _reset(self):
        self.epochs, self._epoch, self._wait, self._traced, self._counting = [], None, None, False, False
        self._seconds, self._examples, self._waited = [], 0.0, 0.0
        self._all_seconds, self._all_examples, self._all_waited = [], 0.0, 0.0

    def _mark(self, counted):
        """Measure from here on, at which so many examples of the epoch were counted."""
        self._last, self._counted, self._counting = time.perf_counter(), counted, True
        self._wait_counted = self._wait.seconds if self._wait is not None else 0.0

    def _count(self):
        """Add what has come since the mark. Before the first step has ended nothing is measured."""
        if not (self._counting and self._traced):
            return
        counted = counted_examples(self.model)
        self._examples += counted - self._counted
        self._counted = counted
        if self._wait is not None:
            self._waited += self._wait.seconds - self._wait_counted
            self._wait_counted = self._wait.seconds
