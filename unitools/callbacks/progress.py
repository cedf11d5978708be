"""Progress of training and evaluation, line by line."""

import time
from collections.abc import Sequence
from typing import Any

import keras
from rich.console import Console

from unitools.callbacks.names import check_names
from unitools.callbacks.progress_phase import ProgressPhase
from unitools.callbacks.progress_text import (
    check_scores,
    chosen_logs,
    joined,
    pace_text,
    phase_bar,
    phase_text,
    values_text,
)
from unitools.callbacks.status_line import StatusLine
from unitools.core.checks import check_choice, check_number, fail
from unitools.core.component import Component, register

_BAR_SECONDS, _LINE_SECONDS = 0.1, 60.0


# A ProgbarLogger, since `fit` adds Keras' own bar unless one is there.
@register
class Progress(Component, keras.callbacks.ProgbarLogger):
    """Shows how far `fit` or `evaluate` is: steps, time left, examples a second, loss and scores; then a line an epoch.

    In a terminal or a notebook a bar is drawn, for the validation data too. Elsewhere, as in a file, a plain line is
    printed once a minute. It takes the place of Keras' bar, whatever `verbose` is. `predict` shows nothing.

    Why: Keras' bar is silent while it validates, shows no pace in examples, fills a file with thousands of lines, and
    in it each score of an entity metric is one more number to look past.

    Args:
        scores: Names of the scores to show beside the loss, such as ["entity_f1"], each of the validation data
            (`val_entity_f1`) too. Default None: all.
        title: First word of every line in `fit`. Default "epoch".
        style: "auto" (default): a bar in a terminal or notebook, else lines. "bar", "lines": always.
        refresh_s: Seconds from one state to the next, >= 0; 0 shows every step. Default None: 0.1 for a bar, 60 for
            lines.

    Raises:
        ValueError: An argument is out of range. From `fit` and `evaluate`, after the first step: the model has no
            such score; the text lists those there are.

    Example:
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse", metrics=["mae"])
    >>> progress = ut.callbacks.Progress(["mae"], style="lines")
    >>> _ = model.fit(np.ones((8, 2)), np.ones(8), batch_size=2, epochs=2, callbacks=[progress])
    epoch 1/2  loss ...  mae ...  ... s  ... examples/s
    epoch 2/2  loss ...  mae ...  ... s  ... examples/s
    """

    # Where to print. None: standard output. No argument, since a config could not hold it.
    console: Console | None = None

    def __init__(
        self,
        scores: Sequence[str] | None = None,
        *,
        title: str = "epoch",
        style: str = "auto",
        refresh_s: float | None = None,
    ):
        super().__init__()
        self.scores = check_names("scores", scores, "entity_f1")
        if not isinstance(title, str) or not title:
            fail("title", title, "a word or more", "Write for instance title='fine-tuning epoch'.")
        self.title = title
        self.style = check_choice("style", style, ("auto", "bar", "lines"))
        self.refresh_s = None if refresh_s is None else check_number("refresh_s", refresh_s, 0)
        self._epoch, self._before, self._steps = None, {}, None

    def set_params(self, params: dict) -> None:
        """Start anew: a `fit` that ended with an error has told nothing of it."""
        self.params = params
        console = self.console or Console()
        self._line = StatusLine(console)
        drawn = console.is_interactive or console.is_jupyter
        self._bar = self.style == "bar" or (self.style == "auto" and drawn)
        self._fitting, self._phase, self._validation_steps = False, None, None
        self._epoch, self._before = None, {}

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Begin to train."""
        self._fitting, self._steps = True, self.params.get("steps")

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Begin an epoch."""
        self._label = f"{self.title} {epoch + 1}/{self.params['epochs']}"
        seconds = self._before.get("seconds", 0.0) if self._before.get("epoch") == epoch else 0.0
        self._training, self._epoch = self._begin(self._label, self._steps, seconds), epoch

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Show the step."""
        self._advance(batch, logs)

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Begin to validate, or to evaluate."""
        if self._fitting:
            self._end_training()
            self._begin(f"{self._label} validation", self._validation_steps)
        else:
            self._begin("evaluation", self.params.get("steps"))

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Show the step."""
        self._advance(batch, logs)

    def on_test_end(self, logs: dict | None = None) -> None:
        """Take the bar away; print the line of an `evaluate` by itself."""
        if self._fitting:
            self._validation_steps = self._phase.steps
            self._line.clear()
        else:
            self._print("evaluation", logs, self._phase.seconds, pace_text(self._phase))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Print the line of the epoch."""
        if self._phase is self._training:
            self._end_training()
        self._print(self._label, logs, self._training.seconds, self._pace)

    def on_train_end(self, logs: dict | None = None) -> None:
        """Let go of the last pass."""
        self._fitting = False

    def on_predict_begin(self, logs: dict | None = None) -> None:
        """Show nothing."""

    def on_predict_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Show nothing."""

    def on_predict_end(self, logs: dict | None = None) -> None:
        """Show nothing."""

    def get_state(self) -> dict[str, Any]:
        """Return the epoch, how long it has taken so far, and the numbers of steps that are known."""
        if self._epoch is None:
            return dict(self._before)
        steps = {"steps": self._steps, "validation_steps": self._validation_steps}
        return {"epoch": self._epoch, "seconds": self._training.seconds} | steps

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned: the line of the epoch then tells the time before it too."""
        self._before = dict(state)
        self._steps = state.get("steps") or self._steps
        self._validation_steps = state.get("validation_steps")

    def _begin(self, title, total, seconds=0.0):
        self._phase = ProgressPhase(title, total, self.model, seconds)
        self._shown = time.perf_counter()
        return self._phase

    def _end_training(self):
        """Keep what the epoch tells: the pace before validation resets the counts, and the number of steps."""
        self._pace = pace_text(self._training)
        self._steps = self._training.steps or self._steps

    def _advance(self, batch, logs):
        if self._phase.steps == 0:
            check_scores(self.scores, logs or {})
        self._phase.advance(batch + 1, logs)
        seconds = self.refresh_s
        if seconds is None:
            seconds = _BAR_SECONDS if self._bar else _LINE_SECONDS
        if time.perf_counter() - self._shown < seconds:
            return
        self._shown = time.perf_counter()
        if self._bar:
            self._line.show(phase_bar(self._phase, self.scores))
        else:
            self._line.print(phase_text(self._phase, self.scores))

    def _print(self, label, logs, seconds, pace):
        values = values_text(chosen_logs(logs or {}, self.scores))
        self._line.print(joined(label, values, f"{seconds:.1f} s", pace))
