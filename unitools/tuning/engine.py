"""What makes the proposals."""

from pathlib import Path
from typing import Any

from unitools.tuning.proposal import Proposal
from unitools.tuning.space import Space


class Engine:
    """Proposes settings and decides which trials end early. Base of `OptunaEngine` and `KerasTunerEngine`.

    One of your own overrides `open`, `ask`, `report` and `tell`. Its proposals must follow from the seed and from the
    calls before, in their order: a search that goes on, or that several processes work on, repeats the calls which
    its log holds.

    Attributes:
        shared: Whether the calls go to a store or server which other processes use too, and which holds them.
        keeps_weights: Whether later trials may begin with the weights of earlier ones, so that all are kept.
        exhausted: Whether there will be no further proposal.
    """

    shared = False
    keeps_weights = False
    exhausted = False

    def open(self, space: Space, objective: str, direction: str, seed: int) -> None:
        """Begin anew. `direction` is "max" or "min"."""
        raise NotImplementedError

    def ask(self, settings: dict[str, Any] | None = None) -> Proposal | None:
        """Return the next proposal; None where there is none, for now or for good (see `exhausted`).

        Args:
            settings: Settings which the trial is known to have had: those of the log. Default None.
        """
        raise NotImplementedError

    def report(self, number: int, step: int, value: float) -> bool:
        """Take an intermediate value of a trial, and return whether the trial should end."""
        return False

    def tell(self, number: int, state: str, score: float | None) -> None:
        """Take the end of a trial: "done" with its score; "pruned", "diverged", "timeout", "failed" or "killed"."""
        raise NotImplementedError

    def serve(self, folder: Path, trials: int) -> bool:
        """Where this process is to answer others, do so until all trials have run, and return True. Else False."""
        return False

    def to_dict(self) -> dict[str, Any]:
        """Return the class and its arguments, as JSON values."""
        arguments = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        return {"engine": type(self).__name__} | arguments
