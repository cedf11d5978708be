"""Readers, batches and augmentation."""

from unitools.data.batches import Batches
from unitools.data.class_folders import UnknownClassError
from unitools.data.generator import ImageDataGenerator
from unitools.data.image import (
    AffineAugmenter,
    Augmenter,
    Compose,
    CutMix,
    MixingAugmenter,
    MixUp,
    RandAugment,
    RandomAffine,
    RandomColor,
    RandomErasing,
)
from unitools.data.image_folder import ImageFolder
from unitools.data.picture_error import PictureError
from unitools.data.source import Source

__all__ = [
    "AffineAugmenter",
    "Augmenter",
    "Batches",
    "Compose",
    "CutMix",
    "ImageDataGenerator",
    "ImageFolder",
    "MixUp",
    "MixingAugmenter",
    "PictureError",
    "RandAugment",
    "RandomAffine",
    "RandomColor",
    "RandomErasing",
    "Source",
    "UnknownClassError",
]
