"""What was penalised."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PenaltyReport:
    """Which weights `penalize` or `l2_sp` gave a penalty. `print` shows it in a line.

    Args:
        penalized: Paths of the weights with the penalty.
        spared: Paths of the other weights that can learn.
        parameters: Number of parameters with the penalty.
        replaced: Paths of weights that had a penalty before, which this one replaces.

    Example:
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), keras.layers.Dense(2)])
    >>> print(ut.regularization.penalize(model, l2=0.01))
    2 weights penalized (48 parameters), 2 spared.
    """

    penalized: tuple[str, ...]
    spared: tuple[str, ...]
    parameters: int
    replaced: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return it as one line."""
        held, spared = len(self.penalized), len(self.spared)
        again = f" {len(self.replaced)} had another penalty before." if self.replaced else ""
        return f"{held} weights penalized ({self.parameters:,} parameters), {spared} spared.{again}"
