"""What a model answered."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Answer:
    """The outputs of one request, and who gave them.

    Args:
        outputs: Arrays by the name of the output.
        version: Number of the version that answered.
        signature: Name of the signature that was called.
    """

    outputs: dict[str, np.ndarray]
    version: int
    signature: str
