"""What was placed in a model."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PlacementReport:
    """What `add_dropout`, `stochastic_depth` or `wrap_layers` put where. `print` shows it in a few lines.

    Args:
        kind: Name of the layer that was placed.
        places: Paths of the layers, blocks or additions it stands at, from input to output.
        rates: The rate at each, or nothing for layers without one.
        replaced: Paths of layers of the same purpose that the model had there, and that stand aside now.

    Example:
    >>> net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, name="hidden"), keras.layers.Dense(2)])
    >>> print(ut.regularization.add_dropout(net, 0.5, after="hidden").placement_report)
    Dropout at 1 place:
      hidden: 0.5
    """

    kind: str
    places: tuple[str, ...]
    rates: tuple[float, ...] = ()
    replaced: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return a line for each place."""
        count = len(self.places)
        rates = [f": {rate:.4g}" for rate in self.rates] or [""] * count
        lines = [f"  {place}{rate}" for place, rate in zip(self.places, rates, strict=True)]
        aside = [f"  in place of the model's own {', '.join(self.replaced)}"] if self.replaced else []
        return "\n".join([f"{self.kind} at {count} place{'s' * (count != 1)}:", *lines, *aside])
