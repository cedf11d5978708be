"""What every export function of a portable format is given."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from unitools.export.model_card import ModelCard


class PortableOptions(NamedTuple):
    """What the export functions are given, and hand on as it is."""

    inputs: str
    labels: Sequence[str] | None
    examples: Any
    preprocess: Callable | None
    output_name: str | None
    card: ModelCard | None
    overwrite: bool
    fresh_process: bool
    tolerance: tuple[float, float] | None
