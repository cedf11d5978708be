"""Augmenters of pictures, and the base classes to write more."""

from unitools.data.image.affine_augmenter import AffineAugmenter
from unitools.data.image.augmenter import Augmenter
from unitools.data.image.random_affine import RandomAffine

__all__ = ["AffineAugmenter", "Augmenter", "RandomAffine"]
