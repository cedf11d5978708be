"""What RandAugment can do to one picture. One family a file."""

from unitools.data.image.operations.blends import brightness, color, contrast, sharpness
from unitools.data.image.operations.movements import movement
from unitools.data.image.operations.tones import autocontrast, equalize, posterize, solarize

__all__ = [
    "autocontrast",
    "brightness",
    "color",
    "contrast",
    "equalize",
    "movement",
    "posterize",
    "sharpness",
    "solarize",
]
