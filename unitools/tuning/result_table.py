"""The trials of a search, as a table."""

import csv
import io
import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from unitools.tuning.trial_record import TrialRecord

_WIDTH = 200
_EARLY = ("trial", "state", "score")


class ResultTable:
    """The trials of a search, the best first: print it, or write it as CSV or JSON.

    Args:
        trials: The trials.
        objective: Name of the score.
        direction: "max" or "min".
    """

    def __init__(self, trials: list[TrialRecord], objective: str, direction: str):
        self.objective = objective
        sign = -1 if direction == "max" else 1
        self.rows = [_row(trial) for trial in sorted(trials, key=lambda trial: _rank(trial, sign))]

    def print(self, console: Console | None = None) -> None:
        """Print it.

        Args:
            console: Where to. Default None: standard output.
        """
        # Where no terminal sets a width, rich takes 80 columns, too few for a table of settings.
        console = console or Console(width=None if sys.stdout.isatty() else _WIDTH)
        console.print(self)

    def csv(self) -> str:
        """Return it as CSV, a setting that a trial did not have left empty."""
        file = io.StringIO()
        writer = csv.DictWriter(file, self._columns(), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return file.getvalue()

    def json(self) -> str:
        """Return it as JSON, a list of rows."""
        return json.dumps(self.rows, indent=1)

    def __rich__(self):
        columns = self._columns()
        table = Table(*(self.objective if name == "score" else name for name in columns))
        for row in self.rows:
            table.add_row(*(_text(row.get(name)) for name in columns))
        return table

    def _columns(self):
        names = dict.fromkeys(name for row in self.rows for name in row)
        return [*_EARLY, *(name for name in names if name not in (*_EARLY, "seconds", "error")), "seconds", "error"]


def _row(trial: TrialRecord) -> dict[str, Any]:
    row = {"trial": trial.number, "state": trial.state, "score": trial.score}
    return row | trial.settings | {"seconds": trial.seconds, "error": trial.error.get("message", "")}


def _rank(trial, sign):
    return (trial.state != "done", trial.score is None, sign * (trial.score or 0.0), trial.number)


def _text(value):
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value).partition("\n")[0][:60]
