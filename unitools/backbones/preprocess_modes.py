"""The published conventions for pixel ranges, by name."""

from unitools.backbones.preprocess import Preprocess
from unitools.core.checks import check_choice

# Mean and standard deviation of ImageNet's training pixels: torchvision's for 0-1, times 255; Caffe's in BGR order.
PREPROCESS_MODES = {
    "none": {},
    "caffe": {"mean": (103.939, 116.779, 123.68), "channel_order": "bgr"},
    "tf": {"mean": 127.5, "std": 127.5},
    "torch": {
        "mean": (0.485 * 255, 0.456 * 255, 0.406 * 255),
        "std": (0.229 * 255, 0.224 * 255, 0.225 * 255),
    },
    "tf_lite": {"mean": 127.0, "std": 128.0},
}


def preprocess_for(mode: str) -> Preprocess:
    """Return the layer for a published convention.

    Args:
        mode: `"none"`: the network takes 0-255 itself. `"tf"`: -1 to 1. `"caffe"`: BGR, mean subtracted, not scaled.
            `"torch"`: ImageNet mean and standard deviation. `"tf_lite"`: (x - 127) / 128.

    Returns:
        A new `Preprocess` layer named "preprocess".

    Raises:
        ValueError: The mode is not known.

    Example:
    >>> from unitools.backbones import preprocess_for
    >>> preprocess_for("tf_lite").std
    128.0
    """
    check_choice("mode", mode, tuple(PREPROCESS_MODES))
    return Preprocess(**PREPROCESS_MODES[mode], name="preprocess")
