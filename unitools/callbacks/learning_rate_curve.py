"""What a range test found."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unitools.core.checks import check_choice, check_number, fail
from unitools.core.durable import write_file
from unitools.plots import learning_rate_curve

RULES = ("valley", "steepest")


@dataclass(frozen=True)
class LearningRateCurve:
    """The loss at each learning rate of a range test, and the rate it suggests.

    The smoothed loss is the mean of the losses so far, in which each weighs `smoothing` times the next one.

    Args:
        rates: Learning rates, > 0, rising.
        losses: The loss at each of them, finite.
        smoothing: Weight of a loss relative to the next one's, in [0, 1). 0 smoothes nothing. Default 0.9.
        rule: How the rate is chosen, always at or below the rate of the lowest smoothed loss. "valley" (default): the
            longest falling subsequence of the smoothed loss is found, and the rate is halfway along it on the
            logarithmic axis. "steepest": where the smoothed loss falls fastest per factor of the rate.

    Raises:
        ValueError: The lists differ in length, or an argument is out of range.

    Example:
    >>> import unitools as ut
    >>> curve = ut.callbacks.LearningRateCurve([1e-4, 1e-3, 1e-2, 1e-1], [3.0, 2.0, 1.0, 9.0], smoothing=0.0)
    >>> round(curve.suggestion, 6)
    0.001

    Source:
        Smith 2017, https://arxiv.org/abs/1506.01186, section 3.3, reads the rate off by eye. "valley" is the rule of
        fastai's `lr_find`, whose subsequence need not be without gaps either.
    """

    rates: Sequence[float]
    losses: Sequence[float]
    smoothing: float = 0.9
    rule: str = "valley"

    def __post_init__(self):
        check_number("smoothing", self.smoothing, 0, 1, open_high=True, advice="Use 0 to smooth nothing.")
        check_choice("rule", self.rule, RULES)
        if not len(self.rates) or len(self.rates) != len(self.losses):
            fail("losses", len(self.losses), f"one for each of the {len(self.rates)} rates, at least 1", "Run longer.")
        for name in ("rates", "losses"):
            object.__setattr__(self, name, tuple(map(float, getattr(self, name))))

    @property
    def smoothed(self) -> tuple[float, ...]:
        """The smoothed loss at each rate."""
        total, weight, means = 0.0, 0.0, []
        for loss in self.losses:
            total, weight = self.smoothing * total + loss, self.smoothing * weight + 1
            means.append(total / weight)
        return tuple(means)

    @property
    def suggestion(self) -> float | None:
        """The learning rate to train with, None where the smoothed loss never falls."""
        smoothed = np.asarray(self.smoothed)[: int(np.argmin(self.smoothed)) + 1]
        if smoothed.size < 2:
            return None
        if self.rule == "steepest":
            slopes = np.diff(smoothed) / np.diff(np.log(self.rates[: smoothed.size]))
            return self.rates[int(np.argmin(slopes))]
        first, last = _ends_of_longest_fall(smoothed)
        return float(np.sqrt(self.rates[first] * self.rates[last]))

    def figure(self) -> Any:
        """Return the picture, a matplotlib `Figure`."""
        return learning_rate_curve(self.rates, self.losses, smoothed=self.smoothed, suggestion=self.suggestion)

    def save(self, path: str | os.PathLike) -> Path:
        """Write the picture to a file; its suffix says as what, such as .png, .pdf or .svg."""
        return write_file(path, self.figure().savefig)


def _ends_of_longest_fall(values):
    """Return the first and last place of the longest falling subsequence; of several, the one that ends first."""
    lengths, starts = np.ones(len(values), int), np.arange(len(values))
    for place in range(1, len(values)):
        above = np.flatnonzero(values[:place] > values[place])
        if above.size:
            before = above[np.argmax(lengths[above])]
            lengths[place], starts[place] = lengths[before] + 1, starts[before]
    last = int(np.argmax(lengths))
    return int(starts[last]), last
