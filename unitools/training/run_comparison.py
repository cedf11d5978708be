"""Whether runs agreed, and where they did not."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RunComparison:
    """What `unitools.training.compare_runs` found. True where all runs agreed; `print` shows it as a sentence.

    Args:
        agreed: Whether all runs gave the same.
        times: Number of runs.
        run: Number of the first run that differs from run 0, or None.
        name: The first value that differs, in the order of what the run returned, or None.
        position: Index in it at which it differs first, or None where the shapes differ. In a list of losses: the step.
        largest_difference: Largest absolute difference in that value; infinite where shapes differ or one is not a
            number.
        different: Names of all values that differ.

    Example:
    >>> import unitools as ut
    >>> losses = iter([[0.5, 0.25], [0.5, 0.75]])
    >>> comparison = ut.training.compare_runs(lambda: {"loss": next(losses)})
    >>> print(comparison)
    run 1 differs from run 0, first in loss at 1, by at most 0.5
    """

    agreed: bool
    times: int
    run: int | None = None
    name: str | None = None
    position: tuple[int, ...] | None = None
    largest_difference: float = 0.0
    different: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.agreed

    def __str__(self) -> str:
        if self.agreed:
            return f"{self.times} runs agreed"
        others = f", and in {len(self.different) - 1} more" if len(self.different) > 1 else ""
        place = f"run {self.run} differs from run 0, first in {self.name}"
        if self.position is None:
            return f"{place}: one lacks it, or has another shape{others}"
        at = f" at {', '.join(map(str, self.position))}" if self.position else ""
        return f"{place}{at}, by at most {self.largest_difference:.3g}{others}"
