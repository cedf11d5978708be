"""What is frozen."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FreezeReport:
    """State of a model after `freeze` or `unfreeze`. `print` shows it in a line.

    Args:
        frozen_layers: Number of layers with weights that do not learn.
        trainable_layers: Number of layers with weights that learn.
        frozen_parameters: Number of parameters that training leaves as they are.
        trainable_parameters: Number of parameters that training moves by their gradients.
        frozen_batch_norms: Number of batch norms that keep their statistics.
        first_trainable: Path of the first layer that learns, or None.

    Example:
    >>> import keras
    >>> import unitools as ut
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, name="a"), keras.layers.Dense(2, name="b")])
    >>> print(ut.adaptation.freeze(model, "a"))
    1 of 2 layers frozen, 40 of 58 parameters; learns from 'b' on. Compile the model again for this to take effect.
    """

    frozen_layers: int
    trainable_layers: int
    frozen_parameters: int
    trainable_parameters: int
    frozen_batch_norms: int
    first_trainable: str | None

    def __str__(self) -> str:
        """Return it as one line."""
        layers = self.frozen_layers + self.trainable_layers
        parameters = self.frozen_parameters + self.trainable_parameters
        norms = f", {self.frozen_batch_norms} batch norms among them" if self.frozen_batch_norms else ""
        learns = "nothing learns" if self.first_trainable is None else f"learns from {self.first_trainable!r} on"
        return (
            f"{self.frozen_layers} of {layers} layers frozen{norms}, {self.frozen_parameters:,} of {parameters:,} "
            f"parameters; {learns}. Compile the model again for this to take effect."
        )
