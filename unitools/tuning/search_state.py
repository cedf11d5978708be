"""All trials of a search, in step with its log and its engine."""

import math
from pathlib import Path
from typing import Any

from unitools.tuning.engine import Engine
from unitools.tuning.failed_search_error import FailedSearchError
from unitools.tuning.owner import Owner
from unitools.tuning.search_log import SearchLog
from unitools.tuning.trial_record import TrialRecord


class SearchState:
    """The trials so far. Whatever happens is done by the engine, written to the log, and noted here, under one lock.

    What other processes wrote is first done again by this process' engine, in the order of the log. So all engines on
    one folder are in the same state, and one that is made anew comes into the state of the one that was killed.

    Args:
        folder: Folder of the search. It is made.
        engine: The engine, opened.
        header: What tells this search from others, as JSON values.

    Raises:
        FailedSearchError: The folder holds another search.
    """

    def __init__(self, folder: Path, engine: Engine, header: dict[str, Any]):
        self.folder, self.trials = folder, {}
        self._engine, self._header, self._begun = engine, header, False
        folder.mkdir(parents=True, exist_ok=True)
        self._log = SearchLog(folder)
        with self._log.locked():
            self._sync()
            if not self._begun:
                self._write({"event": "search", **header})

    def sync(self) -> None:
        """Learn what other processes have done."""
        with self._log.locked():
            self._sync()

    def next_trial(self, owner: Owner, limit: int) -> TrialRecord | None:
        """Return a trial to run: one whose process died, else a new one; None if there is none, for now or for good."""
        with self._log.locked():
            self._sync()
            for record in self.running():
                if not owner.is_alive(record.owner):
                    self._write({"event": "restart", "trial": record.number, "owner": owner.name})
                    return record
            proposal = self._engine.ask() if len(self.trials) < limit else None
            if proposal is None:
                return None
            job = {"epochs": proposal.epochs, "initial_epoch": proposal.initial_epoch, "source": proposal.source}
            event = {"event": "start", "trial": proposal.number, "settings": proposal.settings, "job": job}
            self._write(event | {"owner": owner.name})
            return self.trials[proposal.number]

    def report(self, number: int, step: int, value: float) -> bool:
        """Take an intermediate value, and return whether the trial should end."""
        with self._log.locked():
            self._sync()
            stop = bool(self._engine.report(number, step, value if math.isfinite(value) else math.nan))
            self._write({"event": "report", "trial": number, "step": step, "value": _json(value), "stop": stop})
            return stop

    def end(self, number: int, outcome: dict[str, Any]) -> TrialRecord:
        """Take the end of a trial: its state, score, scores, error and seconds."""
        with self._log.locked():
            self._sync()
            self._engine.tell(number, outcome["state"], outcome["score"])
            scores = {name: _json(value) for name, value in outcome["scores"].items()}
            self._write({"event": "end", "trial": number} | outcome | {"scores": scores})
            return self.trials[number]

    def running(self) -> list[TrialRecord]:
        """Return the trials that have not ended, by number."""
        return [record for _, record in sorted(self.trials.items()) if record.state == "running"]

    def _sync(self):
        for event in self._log.read_new():
            if event["event"] == "search":
                self._check(event)
            elif not self._engine.shared:
                self._replay(event)
            self._note(event)

    def _replay(self, event):
        """Do again with the engine what the log tells."""
        if event["event"] == "start":
            proposal = self._engine.ask(event["settings"])
            if proposal is None or proposal.number != event["trial"]:
                raise FailedSearchError(
                    f"The engine must propose trial {event['trial']} again, as the log in {self.folder} has it. "
                    f"Received {proposal}. Use the version of the engine with which the search began."
                )
        elif event["event"] == "report":
            value = event["value"]
            self._engine.report(event["trial"], event["step"], math.nan if value is None else value)
        elif event["event"] == "end":
            self._engine.tell(event["trial"], event["state"], event["score"])

    def _write(self, event):
        self._log.append(event)
        self._note(event)

    def _note(self, event):
        kind = event["event"]
        if kind == "search":
            self._begun = True
            return
        number = event["trial"]
        if kind == "start":
            folder = self.folder / "trials" / f"{number:04d}"
            self.trials[number] = TrialRecord(number, event["settings"], folder, job=event["job"], owner=event["owner"])
        elif kind == "restart":
            self.trials[number].owner, self.trials[number].reports = event["owner"], {}
        elif kind == "report":
            self.trials[number].reports[event["step"]] = event["value"]
        else:
            for name in ("state", "score", "scores", "error", "seconds"):
                setattr(self.trials[number], name, event[name])

    def _check(self, event):
        """Raise if the folder's search is another one."""
        there, here = _flat(event | {"event": None}), _flat(self._header | {"event": None})
        for name in sorted(there.keys() | here.keys()):
            if there.get(name) != here.get(name):
                raise FailedSearchError(
                    f"The folder {self.folder} must be empty or hold this search. Received one whose {name} is "
                    f"{there.get(name)!r}, where this one's is {here.get(name)!r}. Give another folder."
                )


def _json(value):
    return float(value) if math.isfinite(value) else None


def _flat(header):
    """Return a header with a name for each setting of the space and each argument of the engine."""
    flat = {}
    for name, value in header.items():
        parts = value.items() if isinstance(value, dict) else [(None, value)]
        flat |= {name if part is None else f"{name}[{part!r}]": item for part, item in parts}
    return flat
