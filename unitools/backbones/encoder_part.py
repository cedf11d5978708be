"""One variable of an encoder and where its value comes from."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np


@dataclass(frozen=True)
class EncoderPart:
    """A variable and the tensors it is made of, with the shape of each in the file."""

    variable: keras.Variable
    tensors: tuple[str, ...]
    shape: tuple[int, ...]
    convert: Callable

    def value(self, read: Callable[[str], np.ndarray]) -> np.ndarray:
        """Return the variable's value from the tensors that `read` gives by name."""
        return np.concatenate([self.convert(read(name)) for name in self.tensors], axis=-1)
