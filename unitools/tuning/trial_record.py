"""What is known of a trial."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class TrialRecord:
    """A trial as the log has it.

    Args:
        number: Number of the trial, from 0.
        settings: What `build` was given.
        folder: Folder of the trial: output.txt and what the trial wrote.
        state: "running"; "done"; "pruned", ended since it fell behind; "diverged", its score is no number; "timeout";
            "failed", with an error; "killed", by a signal.
        score: Value of the objective: the best epoch's. Default None.
        scores: All scores, of that epoch. Default none.
        error: Of a trial that failed, "stage", "message", "traceback", and "output", the last lines it printed.
        seconds: How long it ran. Default 0.
        reports: Intermediate values by step. Default none.
        job: What its process is told beside the settings: epochs, and whose weights to begin with.
        owner: Name of the process that runs it.
    """

    number: int
    settings: dict[str, Any]
    folder: Path
    state: str = "running"
    score: float | None = None
    scores: dict[str, float] = field(default_factory=dict)
    error: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    reports: dict[int, float | None] = field(default_factory=dict)
    job: dict[str, Any] = field(default_factory=dict)
    owner: str = ""
