"""What the processes of a search's trials are told, and the files they leave."""

import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from unitools.tuning.running_trial import RunningTrial, wait_for
from unitools.tuning.trial_record import TrialRecord

OUTPUT = "output.txt"  # stays in the folder of each trial


class TrialJobs:
    """Starts the trials of one search, evaluates them again, and removes their files.

    Args:
        function: Where a process finds `build`, from `build_reference`.
        objective: Name of the score that counts.
        direction: "max" or "min".
        seed: Seed of the search. That of a trial follows from it and the trial's number.
        folder: Folder of the search.
    """

    def __init__(self, function: Mapping[str, Any], objective: str, direction: str, seed: int, folder: Path):
        self._function, self._seed, self._folder = function, seed, folder
        self._goal = {"objective": objective, "direction": direction}

    def job(self, record: TrialRecord) -> dict[str, Any]:
        """Return what `Trial` is made of, as JSON holds it."""
        source = record.job["source"]
        return self._goal | {
            "number": record.number,
            "settings": record.settings,
            "seed": (self._seed * 1_000_003 + record.number) % 2**31,
            "folder": str(record.folder),
            "epochs": record.job["epochs"],
            "initial_epoch": record.job["initial_epoch"],
            "source": None if source is None else str(self._folder / "trials" / f"{source:04d}"),
        }

    def start(self, record: TrialRecord, limit_s: float | None = None) -> RunningTrial:
        """Start a trial in an empty folder: what a process that died has left is removed."""
        for path in record.folder.glob("*") if record.folder.exists() else ():
            _remove(path)
        return RunningTrial(record, self.job(record) | {"function": self._function, "verify": False}, limit_s)

    def evaluate(self, record: TrialRecord, function: Mapping[str, Any] | None) -> dict[str, Any]:
        """Score a trial again from its files in a new process, and return the outcome.

        Args:
            record: The trial. Its files and its output stay; the process prints to the folder "verify" below it.
            function: Where the process finds the function that scores it. None: `build`, evaluated with the weights.
        """
        job = self.job(record) | {"function": function or self._function, "verify": function is None}
        beside = TrialRecord(record.number, record.settings, record.folder / "verify", job=record.job)
        trial = RunningTrial(beside, job, None)
        try:
            while not trial.has_ended():
                for _ in trial.reports():
                    trial.answer(False)
                wait_for([trial], 0.2)
            return trial.outcome(self._goal["objective"])
        finally:
            trial.close()

    def clear(self, records: Iterable[TrialRecord], keep: Collection[int]) -> None:
        """Remove the files of trials that have ended, but for their output and for those of some trials.

        Args:
            records: The trials.
            keep: Numbers of the trials whose files stay.
        """
        for record in records:
            if record.state != "running" and record.number not in keep and record.folder.exists():
                for path in record.folder.glob("*"):
                    if path.name != OUTPUT:
                        _remove(path)


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
