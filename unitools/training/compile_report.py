"""What `compile` chose."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class CompileReport:
    """The choices of `unitools.training.compile`, each as a short text. `print` shows one a line.

    Args:
        optimizer: Optimizer and its clipping.
        learning_rate: Peak and course of the rate.
        layer_rates: Smallest and largest share of the rate, and the number of levels.
        weight_decay: The decay, and how many variables it spares.
        loss: The loss.
        metrics: The metrics.
        precision: The dtype policy, and why.
        jit_compile: Whether XLA compiles the steps, and why.
        seed: The seed, and what it covers.

    Example:
    >>> import keras
    >>> import unitools as ut
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    >>> report = ut.training.compile(model, learning_rate=1e-3, steps=100, verbose=False)
    >>> report.learning_rate
    'up to 0.001 over 10 steps, then cosine to 0 at step 100'
    """

    optimizer: str
    learning_rate: str
    layer_rates: str
    weight_decay: str
    loss: str
    metrics: str
    precision: str
    jit_compile: str
    seed: str

    def __str__(self) -> str:
        """Return one line a choice."""
        width = max(len(field.name) for field in fields(self))
        return "\n".join(f"{field.name:<{width}}  {getattr(self, field.name)}" for field in fields(self))
