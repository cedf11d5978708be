"""What quantization saved, and what it cost."""

from dataclasses import dataclass

from unitools.export.quantized_variant import QuantizedVariant


@dataclass(frozen=True)
class QuantizationReport:
    """The table of `quantize`; `print` shows it.

    Args:
        variants: The rows; the first is in floats, which the others are compared with.

    Example:
    >>> from unitools.export import QuantizationReport, QuantizedVariant
    >>> floats = QuantizedVariant("float32", "a", 8_000_000, 8.0, 0.90)
    >>> print(QuantizationReport((floats, QuantizedVariant("int8", "b", 2_000_000, 4.0, 0.89))))
    variant           MB   of floats        ms   x as fast     score      lost
    float32         8.00       1.000      8.00        1.00    0.9000    0.0000
    int8            2.00       0.250      4.00        2.00    0.8900    0.0100
    """

    variants: tuple[QuantizedVariant, ...]

    def __getitem__(self, name: str) -> QuantizedVariant:
        """Return the variant of this name."""
        return next(one for one in self.variants if one.name == name)

    def __str__(self) -> str:
        """Return the table."""
        head = f"{'variant':<12}{'MB':>8}{'of floats':>12}{'ms':>10}{'x as fast':>12}{'score':>10}{'lost':>10}"
        return "\n".join([head, *(self._row(one) for one in self.variants)])

    def _row(self, one):
        if one.reason:
            return f"{one.name:<12}  none: {one.reason}"
        floats = self.variants[0]
        share, speed = one.size / floats.size, floats.milliseconds / one.milliseconds
        row = f"{one.name:<12}{one.size / 1e6:>8.2f}{share:>12.3f}{one.milliseconds:>10.2f}{speed:>12.2f}"
        return row if one.score is None else f"{row}{one.score:>10.4f}{floats.score - one.score:>10.4f}"
