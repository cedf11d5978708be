"""Runs trials, several at a time."""

import math
import time
from collections.abc import Callable

from unitools.tuning.failed_build_error import FailedBuildError
from unitools.tuning.limits import Limits
from unitools.tuning.owner import Owner
from unitools.tuning.running_trial import RunningTrial, wait_for
from unitools.tuning.search_state import SearchState
from unitools.tuning.trial_record import TrialRecord

_POLL_S = 0.2


def run_trials(
    state: SearchState,
    start: Callable[[TrialRecord], RunningTrial],
    objective: str,
    limits: Limits,
    on_end: Callable[[TrialRecord], None],
    is_over: Callable[[], bool],
) -> None:
    """Run trials until the limits are reached or the engine has no more.

    Args:
        state: The search.
        start: Starts the process of a trial.
        objective: Name of the score.
        limits: The limits.
        on_end: Called after each trial.
        is_over: Tells, where no trial runs here and none is proposed, whether there will be none either.

    Raises:
        FailedBuildError: As many trials as `limits` says ended one after the other with the same error.
        ValueError: The objective is none of a trial's scores.
    """
    owner, running, errors = Owner(state.folder), [], []
    end = math.inf if limits.time_s is None else time.monotonic() + limits.time_s
    try:
        while time.monotonic() < end:
            _fill(state, start, owner, running, limits)
            if not running and (len(state.trials) >= limits.trials or is_over()):
                return
            wait_for(running, min(_POLL_S, max(0.0, end - time.monotonic())))
            for trial in tuple(running):
                if _step(state, trial):
                    running.remove(trial)
                    record = state.end(trial.record.number, trial.outcome(objective))
                    trial.close()
                    on_end(record)
                    _check_failures(record, errors, limits.failures)
    finally:
        for trial in running:
            trial.close()
        owner.leave()


def _fill(state, start, owner, running, limits):
    while len(running) < limits.workers:
        record = state.next_trial(owner, limits.trials)
        if record is None:
            return
        running.append(start(record))


def _step(state, trial):
    """Answer what a trial reports, and return whether it has ended."""
    ended = trial.has_ended()
    for step, value in trial.reports():
        trial.answer(state.report(trial.record.number, step, value))
    return ended


def _check_failures(record, errors, limit):
    """Raise where a build fails again and again: the rest of the search would too."""
    if record.state not in ("failed", "killed"):
        errors.clear()
        return
    if record.error["stage"] == "objective":
        raise ValueError(record.error["message"].partition(": ")[2])
    if errors and errors[-1] != record.error["message"]:
        errors.clear()
    errors.append(record.error["message"])
    if len(errors) == limit:
        error = record.error
        raise FailedBuildError(
            f"{limit} trials in a row failed with the same error, at the stage {error['stage']!r}: {error['message']}\n"
            f"Mend it and run the search again: it goes on from {record.folder.parent.parent}.\n"
            f"{error['traceback']}The last lines of the trial's output:\n{error['output']}"
        )
