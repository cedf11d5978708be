"""What a weights file held, compared with a model."""

from dataclasses import dataclass, field

_SHOWN = 8


@dataclass(frozen=True)
class WeightsReport:
    """Says which tensors of a file found their place in a model.

    Args:
        source: The file or folder.
        matched: Tensors that were loaded.
        missing: Tensors that the model needs and the file has not.
        unexpected: Tensors of the file that the model has no place for.
        wrong_shape: Triples (tensor, shape in the model, shape in the file).
        skipped: Tensors of the file that were left out on purpose: a classifier that was not asked for, or counters
            that Keras has no use for.

    Example:
    >>> from unitools.backbones import WeightsReport
    >>> print(WeightsReport("a.safetensors", matched=("stem/kernel",), missing=("top/bias",)))
    Weights from a.safetensors: 1 matched, 1 missing, 0 unexpected, 0 of the wrong shape.
      missing: top/bias
    """

    source: str
    matched: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    wrong_shape: tuple[tuple[str, tuple, tuple], ...] = field(default=())
    skipped: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every tensor of the model was loaded, and every tensor of the file had a place."""
        return bool(self.matched) and not (self.missing or self.unexpected or self.wrong_shape)

    def __str__(self) -> str:
        shapes = [f"{name} (model {expected}, file {found})" for name, expected, found in self.wrong_shape]
        lines = [
            f"Weights from {self.source}: {len(self.matched)} matched, {len(self.missing)} missing, "
            f"{len(self.unexpected)} unexpected, {len(self.wrong_shape)} of the wrong shape."
        ]
        groups = {"missing": self.missing, "unexpected": self.unexpected, "wrong shape": shapes}
        lines += [f"  {title}: {_listed(names)}" for title, names in groups.items() if names]
        return "\n".join(lines)


def _listed(names):
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
