"""What a signature takes and gives: one tensor's name, dtype and shape."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Tensor:
    """One input or output of a signature.

    Args:
        name: Its name.
        dtype: TensorFlow's name of its dtype: "float32", "string", ...
        shape: Sizes; None where any is taken.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    @property
    def is_string(self) -> bool:
        """Whether it holds bytes."""
        return self.dtype == "string"

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Return whether an array of this shape may be given."""
        return len(shape) == len(self.shape) and all(
            own in (None, side) for own, side in zip(self.shape, shape, strict=True)
        )


def tensors(described: Mapping[str, Mapping[str, Any]]) -> dict[str, Tensor]:
    """Return the tensors of signature.json's "inputs" or "outputs"."""
    return {name: Tensor(name, one["dtype"], tuple(one["shape"])) for name, one in described.items()}
