"""What a caller asked of a text backbone, checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from unitools.backbones.request import PRETRAINED, Request
from unitools.core.checks import check_flag, check_number, fail

_FOR_PICTURES = ("input_shape", "preprocess", "batch_norm_epsilon")


@dataclass(frozen=True)
class TextRequest:
    """The options of `bert`. Its docstring explains them."""

    weights: str | Path | None = "pretrained"
    dropout: float | None = None
    segments: bool = False
    allow_partial: bool = False
    sha256: str | Mapping[str, str] | None = None

    def checked(self) -> "TextRequest":
        """Return the request, its values checked, before anything is built."""
        if self.weights is not None and not isinstance(self.weights, (str, Path)):
            fail("weights", self.weights, "'pretrained', a path, or None for random weights")
        if self.sha256 is not None and not isinstance(self.sha256, (str, Mapping)):
            fail("sha256", self.sha256, "64 hexadecimal digits, or for a folder a mapping from file name to them")
        if self.dropout is not None:
            check_number("dropout", self.dropout, 0, 1, open_high=True, advice="Use dropout=0 to turn it off.")
        check_flag("segments", self.segments)
        check_flag("allow_partial", self.allow_partial)
        return self

    @property
    def pretrained(self) -> bool:
        """Whether the weights are to be those that belong to the name or folder."""
        return isinstance(self.weights, str) and self.weights in PRETRAINED


def text_request(request: Request) -> TextRequest:
    """Return what `load` was asked for, for a text backbone."""
    for name in _FOR_PICTURES:
        if getattr(request, name) is not None:
            fail(name, getattr(request, name), "None for a text backbone", "It belongs to pictures.")
    if request.include_top:
        fail("include_top", True, "False for a text backbone", "Put a head of unitools.heads on it.")
    return TextRequest(weights=request.weights, allow_partial=request.allow_partial, sha256=request.sha256)
