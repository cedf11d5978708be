"""Residual networks by name."""

from collections.abc import Sequence
from pathlib import Path

from unitools.backbones.backbone import Backbone
from unitools.backbones.load import load
from unitools.backbones.small_resnets import SMALL_RESNETS
from unitools.core.checks import check_choice

RESNETS = (*SMALL_RESNETS, "resnet50", "resnet101", "resnet152", "resnet50v2", "resnet101v2", "resnet152v2")


def resnet(
    name: str = "resnet50",
    weights: str | Path | None = "imagenet",
    *,
    include_top: bool = False,
    input_shape: Sequence[int | None] | None = None,
    num_classes: int = 1000,
    allow_partial: bool = False,
    sha256: str | None = None,
) -> Backbone:
    """Return a residual network as a backbone, with `pyramid_outputs` for levels 2 to 5 and its `preprocess`.

    Args:
        name: `"resnet18"`, `"resnet34"`, `"resnet50"`, `"resnet101"` or `"resnet152"`, or one of these with `"v2"` at
            the end (pre-activation). 50 and deeper are those of keras.applications, whose outputs they give; 18 and 34
            are keras-hub's, as keras.applications has none. Defaults to `"resnet50"`.
        weights: `"imagenet"` (a download on first use), None for random weights, the path of a weights file, or the
            name of a keras-hub preset. Defaults to `"imagenet"`.
        include_top: Whether the ImageNet classifier is on top. Defaults to False.
        input_shape: (height, width, channels). Defaults to any size with 3 channels, and 224 x 224 with the classifier.
            Other channel counts adapt the first layer; see `load`.
        num_classes: Classes of the classifier. Defaults to 1000.
        allow_partial: Whether a weights file may match in part. Defaults to False.
        sha256: Hash of the weights file. Defaults to None, unchecked.

    Returns:
        A `Backbone`. Without the classifier its output is `(batch, height / 32, width / 32, features)`.

    Raises:
        ValueError: The name is none of these, or an argument does not fit it.
        DownloadError: The weights could not be fetched. The text names the file and how to give it as a path.
        WeightsFileError: The file cannot be used, or matches in part only.

    Example:
    >>> from unitools.backbones import resnet
    >>> backbone = resnet("resnet50", weights=None, input_shape=(64, 64, 3))
    >>> {level: tensor.shape[1:3] for level, tensor in backbone.pyramid_outputs.items()}
    {2: (16, 16), 3: (8, 8), 4: (4, 4), 5: (2, 2)}

    Source: He et al., Deep Residual Learning for Image Recognition (2015); Identity Mappings in Deep Residual Networks
    (2016), for v2. keras.applications puts the stride of version 1 in the first 1 x 1 convolution of a block, keras-hub
    in the 3 x 3.
    """
    check_choice("name", name, RESNETS, "For other networks use `unitools.backbones.load`.")
    return load(
        name,
        weights=weights,
        include_top=include_top,
        input_shape=input_shape,
        num_classes=num_classes,
        allow_partial=allow_partial,
        sha256=sha256,
    )
