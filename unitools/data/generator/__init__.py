"""`ImageDataGenerator`, the class that Keras 3 removed, on top of unitools' batches."""

from unitools.data.generator.generator_batches import GeneratorBatches
from unitools.data.generator.image_data_generator import ImageDataGenerator

__all__ = ["GeneratorBatches", "ImageDataGenerator"]
