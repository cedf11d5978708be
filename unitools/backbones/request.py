"""What a caller of `load` asked for, checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras

from unitools.backbones.adopt import as_preprocess
from unitools.backbones.stem import check_input_shape
from unitools.core.checks import check_flag, check_integer, check_number, fail

PRETRAINED = ("pretrained", "imagenet")


@dataclass(frozen=True)
class Request:
    """The options of `load`. Its docstring explains them."""

    weights: str | Path | None = "pretrained"
    input_shape: Sequence[int | None] | None = None
    include_top: bool = False
    num_classes: int = 1000
    preprocess: str | keras.layers.Layer | None = None
    batch_norm_epsilon: float | None = None
    allow_partial: bool = False
    sha256: str | Mapping[str, str] | None = None

    def checked(self) -> "Request":
        """Return the request with its values checked, before anything is built."""
        if keras.config.image_data_format() != "channels_last":
            fail("image_data_format", keras.config.image_data_format(), "channels_last", "Set it with keras.config.")
        if self.weights is not None and not isinstance(self.weights, (str, Path)):
            fail("weights", self.weights, "'pretrained', a path, or None for random weights")
        if self.sha256 is not None and not isinstance(self.sha256, (str, Mapping)):
            fail("sha256", self.sha256, "64 hexadecimal digits, or for a folder a mapping from file name to them")
        check_flag("include_top", self.include_top)
        check_flag("allow_partial", self.allow_partial)
        check_integer("num_classes", self.num_classes, 1)
        if self.batch_norm_epsilon is not None:
            check_number("batch_norm_epsilon", self.batch_norm_epsilon, 0, 1, open_low=True)
        values = vars(self) | {
            "input_shape": check_input_shape(self.input_shape),
            "preprocess": as_preprocess(self.preprocess),
        }
        return Request(**values)

    @property
    def pretrained(self) -> bool:
        """Whether the weights are to be those that belong to the name, folder or file."""
        return isinstance(self.weights, str) and self.weights in PRETRAINED
