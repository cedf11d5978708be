"""From files or arrays to the batches of an `ImageDataGenerator`."""

import os
from functools import partial

import numpy as np
import tensorflow as tf

from unitools.core.layers.counter_random import fold_in, uniform
from unitools.data.generator.colour_shifts import shift_brightness, shift_channels
from unitools.data.generator.generator_affine import GeneratorAffine
from unitools.data.generator.standardization import standardizer
from unitools.data.picture_source import CHANNELS, decode_file
from unitools.data.source import Source

_GEOMETRY = (
    "rotation_range",
    "width_shift_range",
    "height_shift_range",
    "shear_range",
    "horizontal_flip",
    "vertical_flip",
)
_COLOUR_KEY = 1
"""Folded into the seed of a picture for the draws that are not geometry."""


def affine_of(generator):
    """Return the `GeneratorAffine` of a generator's ranges, or None where nothing moves."""
    ranges = {name: getattr(generator, name) for name in _GEOMETRY}
    if not any(np.any(value) for value in ranges.values()) and tuple(generator.zoom_range) == (1, 1):
        return None
    fill = generator.cval if generator.fill_mode == "constant" else generator.fill_mode
    ranges["zoom_range"] = generator.zoom_range
    return GeneratorAffine(ranges, interpolation_order=generator.interpolation_order, fill=fill, seed=0)


def file_source(generator, filepaths, targets, options):
    """Return the `Source` of pictures in files.

    Where the generator moves pictures, one pass takes each from its own size to the target size; otherwise it is
    resized by `options["interpolation"]`.

    Args:
        generator: An `ImageDataGenerator`.
        filepaths: Paths of the files.
        targets: `targets(images, indices)`, what goes with the pictures of a batch; see `finisher`.
        options: Dictionary with `target_size`, `color_mode`, `interpolation` and `keep_aspect_ratio`.
    """
    names = tf.constant([os.fsencode(file) for file in filepaths])
    affine, size = affine_of(generator), options["target_size"]

    draw = None if affine is None else partial(affine.draw, image_size=size)

    def load(index, drawn):
        image = decode_file(names[index], options["color_mode"])
        if options["keep_aspect_ratio"]:
            image = _crop(image, size)
        if affine is None:
            image = _resize(image, size, options["interpolation"])
        else:
            image = affine.decode_to(image, drawn, size, scale=1.0)
        return tf.ensure_shape(image, (*size, CHANNELS[options["color_mode"]])), index

    return Source(len(filepaths), load, finisher(generator, None, targets), names, draw)


def array_source(generator, images, targets):
    """Return the `Source` of the pictures of an array `(pictures, height, width, channels)`, uint8 ones as they are."""
    # Moved pictures are rounded in an integer dtype, which only for bytes is what the values were to begin with.
    kept = tf.convert_to_tensor(images if images.dtype == np.uint8 else images.astype(generator.dtype))

    def load(index, seed):
        return tf.gather(kept, index), index

    return Source(len(images), load, finisher(generator, affine_of(generator), targets))


def finisher(generator, affine, targets):
    """Return `finish(batch, seeds)`: movement, colour, axes, normalisation, targets.

    Args:
        generator: An `ImageDataGenerator`.
        affine: What moves the pictures of the batch, or None.
        targets: `targets(images, indices)` returns the element that the consumer gets.
    """
    colour, standardize = _colour(generator), standardizer(generator)

    def finish(batch, seeds):
        images, indices = batch
        if affine is not None:
            images = affine.augment({"images": images}, seeds)["images"]
        images = colour(tf.cast(images, tf.float32), seeds)
        if generator.data_format == "channels_first":
            images = tf.transpose(images, (0, 3, 1, 2))
        return targets(tf.cast(standardize(images), generator.dtype), indices)

    return finish


def _colour(generator):
    """Return `shift(images, seeds)`: channel shift, then brightness."""
    channel, brightness = generator.channel_shift_range, generator.brightness_range

    def shift(images, seeds):
        if not channel and brightness is None:
            return images
        units = uniform(fold_in(seeds, _COLOUR_KEY), 2)
        if channel:
            images = shift_channels(images, (2.0 * units[:, 0] - 1.0) * channel)
        if brightness is not None:
            images = shift_brightness(images, brightness[0] + units[:, 1] * (brightness[1] - brightness[0]))
        return images

    return shift


def _resize(image, size, interpolation):
    """Resize to whole grey levels, smoothing where the picture shrinks, as Pillow does."""
    method = "lanczos3" if interpolation == "lanczos" else interpolation
    resized = tf.image.resize(image, size, method, antialias=True)
    return tf.saturate_cast(tf.round(tf.cast(resized, tf.float32)), tf.uint8)


def _crop(image, size):
    """Cut the centre out that has the proportions of `size`."""
    shape = tf.shape(image)
    height = tf.maximum(tf.minimum(shape[0], shape[1] * size[0] // size[1]), 1)
    width = tf.maximum(tf.minimum(shape[1], shape[0] * size[1] // size[0]), 1)
    top, left = (shape[0] - height) // 2, (shape[1] - width) // 2
    return image[top : top + height, left : left + width]
