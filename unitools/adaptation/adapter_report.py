"""What an adapter trains."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AdapterReport:
    """An adapter on a model. `print` shows it in a line.

    Args:
        name: The adapter's name.
        kind: Name of its class.
        active: Whether it is the one that works now.
        merged: Whether the kernels hold it.
        num_layers: Number of layers that it adds something to.
        added_parameters: Number of parameters of its own.
        trained_parameters: Number of parameters that it trains: its own, and those of the base that `train_also` means.
        parameters: Number of parameters of the base.

    Example:
    >>> import keras
    >>> import unitools as ut
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, name="a"), keras.layers.Dense(2, name="b")])
    >>> round(ut.adaptation.BitFit().apply(model).share, 3)
    0.448
    """

    name: str
    kind: str
    active: bool
    merged: bool
    num_layers: int
    added_parameters: int
    trained_parameters: int
    parameters: int

    @property
    def share(self) -> float:
        """Trained parameters as a share of all, the adapter's own included."""
        return self.trained_parameters / (self.parameters + self.added_parameters)

    def __str__(self) -> str:
        """Return it as one line."""
        state = "merged" if self.merged else "active" if self.active else "not active"
        layers = f"{self.num_layers} layer{'s' if self.num_layers != 1 else ''}"
        return (
            f"{self.kind} {self.name!r}, {state}: {self.trained_parameters:,} of "
            f"{self.parameters + self.added_parameters:,} parameters learn ({100 * self.share:.1f} %), on {layers}. "
            "Compile the model again."
        )
