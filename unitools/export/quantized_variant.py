"""One row of a quantization's table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class QuantizedVariant:
    """A quantized export, measured; or why there is none.

    Args:
        name: "float32", "float16", "int8" or "keras_int8".
        path: Its folder, or "" where there is none.
        size: Bytes of the model's files.
        milliseconds: Median time of a call with one example, on one thread for LiteRT.
        score: What the score function gave, or None where there was none.
        reason: Why there is none, or "".

    Example:
    >>> from unitools.export import QuantizedVariant
    >>> QuantizedVariant("int8", "out/int8", 4_000_000, 4.5, 0.886).size
    4000000
    """

    name: str
    path: str = ""
    size: int = 0
    milliseconds: float = 0.0
    score: float | None = None
    reason: str = ""
