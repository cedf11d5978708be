"""How much a search may run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How much a search may run.

    Args:
        trials: Trials in all.
        workers: Trials at a time.
        trial_time_s: Seconds of a trial, or None.
        time_s: Seconds in all, or None.
        failures: Trials in a row with the same error.
    """

    trials: int
    workers: int
    trial_time_s: float | None
    time_s: float | None
    failures: int
