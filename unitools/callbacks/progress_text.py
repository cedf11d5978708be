"""Progress in words and numbers."""

from collections.abc import Sequence
from numbers import Real

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from unitools.callbacks.progress_phase import ProgressPhase
from unitools.core.checks import fail

_BAR_WIDTH = 24
# Keras' own callbacks add it when an epoch ends.
_LATE = ("learning_rate",)
_GAP = "  "


def chosen_logs(logs: dict, scores: Sequence[str] | None) -> dict:
    """Return the losses and the scores that are wanted, the loss first, those of the validation data behind."""
    wanted = {"loss", "val_loss", *(scores or ())}
    names = [name for name in logs if scores is None or name in wanted or name.removeprefix("val_") in wanted]
    names.sort(key=lambda name: (name.startswith("val_"), name.removeprefix("val_") != "loss"))
    return {name: logs[name] for name in names}


def check_scores(scores: Sequence[str] | None, logs: dict) -> None:
    """Raise a ValueError if one of the wanted scores is none of the logs of a step."""
    for name in scores or ():
        if name.removeprefix("val_") not in logs and name not in (*logs, *_LATE):
            fail("scores", tuple(scores), f"among what the model logs, {', '.join(map(repr, logs))}", f"Mend {name!r}.")


def values_text(logs: dict) -> str:
    """Return logs as "name value", one after the other."""
    return _GAP.join(f"{name} {_number(value)}" for name, value in logs.items())


def pace_text(phase: ProgressPhase) -> str:
    """Return examples a second, or nothing."""
    pace = phase.examples_per_second
    return "" if pace is None else f"{pace:,.0f} examples/s" if pace >= 10 else f"{pace:.2g} examples/s"


def joined(*parts: str) -> str:
    """Return the parts that are not empty, two blanks between them."""
    return _GAP.join(filter(None, parts))


def phase_text(phase: ProgressPhase, scores: Sequence[str] | None) -> str:
    """Return a running pass as plain text."""
    return joined(phase.title, _steps(phase), _details(phase, scores))


def phase_bar(phase: ProgressPhase, scores: Sequence[str] | None) -> Table:
    """Return a running pass as a line with a bar, where the number of steps is known."""
    cells = [Text(phase.title), Text(_steps(phase)), Text(_details(phase, scores))]
    if phase.total is not None:
        cells.insert(1, ProgressBar(total=phase.total, completed=phase.steps, width=_BAR_WIDTH))
    grid = Table.grid(padding=(0, 1))
    for cell in cells[:-1]:
        grid.add_column(min_width=_BAR_WIDTH if isinstance(cell, ProgressBar) else cell.cell_len)
    grid.add_column(no_wrap=True, overflow="crop")  # what the terminal has no room for is cut off here
    grid.add_row(*cells)
    return grid


def _steps(phase):
    return f"{phase.steps}" if phase.total is None else f"{phase.steps}/{phase.total}"


def _details(phase, scores):
    left = phase.seconds_left
    time_left = "" if left is None else f"{_clock(left)} left"
    return joined(time_left, pace_text(phase), values_text(chosen_logs(phase.logs, scores)))


def _number(value):
    if not isinstance(value, Real):
        return str(value)
    return f"{value:.4f}" if value == 0 or abs(value) >= 1e-3 else f"{value:.2e}"


def _clock(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
