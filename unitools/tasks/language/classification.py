"""What a classifier says of one text."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Classification:
    """The class of a text.

    Args:
        label: Name of the most probable class.
        confidence: Its probability, from 0 to 1.
        probabilities: Probability of every class, in the order of the classifier's labels.
        num_truncated: Tokens of the text that the model did not see, since it was too long.

    Example:
    >>> from unitools.tasks import Classification
    >>> Classification("greet", 0.9, (0.1, 0.9), 0).label
    'greet'
    """

    label: str
    confidence: float
    probabilities: tuple[float, ...]
    num_truncated: int

    @classmethod
    def of(cls, labels: tuple[str, ...], probabilities: np.ndarray, num_truncated: int) -> "Classification":
        """Return the classification that probabilities `(classes,)` mean."""
        best = int(np.argmax(probabilities))
        return cls(labels[best], float(probabilities[best]), tuple(map(float, probabilities)), int(num_truncated))
