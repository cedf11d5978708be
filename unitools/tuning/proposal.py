"""What an engine proposes."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Proposal:
    """The settings of the next trial, as an engine gives them.

    Args:
        number: Number of the trial.
        settings: Settings by name, fixed ones too.
        epochs: Epoch at which training ends. Default None: the trial's own affair.
        initial_epoch: Epoch from which it goes on. Default 0.
        source: Number of the trial whose weights it begins with. Default None: those of the build.
    """

    number: int
    settings: dict[str, Any]
    epochs: int | None = None
    initial_epoch: int = 0
    source: int | None = None
