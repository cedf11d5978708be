"""Augmenters of pictures, and the base classes to write more."""

from unitools.data.image.affine_augmenter import AffineAugmenter
from unitools.data.image.augmenter import Augmenter
from unitools.data.image.compose import Compose
from unitools.data.image.cut_mix import CutMix
from unitools.data.image.mix_up import MixUp
from unitools.data.image.mixing_augmenter import MixingAugmenter
from unitools.data.image.rand_augment import RandAugment
from unitools.data.image.random_affine import RandomAffine
from unitools.data.image.random_color import RandomColor
from unitools.data.image.random_erasing import RandomErasing

__all__ = [
    "AffineAugmenter",
    "Augmenter",
    "Compose",
    "CutMix",
    "MixUp",
    "MixingAugmenter",
    "RandAugment",
    "RandomAffine",
    "RandomColor",
    "RandomErasing",
]
