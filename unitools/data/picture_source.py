"""From picture files to batches of pictures and labels, in the graph."""

import inspect
import os

import tensorflow as tf

from unitools.core.layers.decode_image import decode_image
from unitools.data.source import Source

CHANNELS = {"rgb": 3, "grayscale": 1, "rgba": 4}


def picture_source(files, labels, *, load, finish, draw=None):
    """Return the `Source` of pictures in files.

    Args:
        files: Paths of the files.
        labels: Class of each file, integers.
        load: `load(file, index, drawn)` gives a picture `(height, width, channels)` of the target size.
        finish: `finish(batch, seeds)`, see `Source`.
        draw: `draw(seeds)`, see `Source`.
    """
    names = tf.constant([os.fsencode(file) for file in files])
    labels = tf.constant(labels, tf.int32)

    def load_example(index, drawn):
        return {"images": load(names[index], index, drawn), "labels": labels[index]}

    return Source(len(files), load_example, finish, names, draw)


def decode_file(file, color_mode):
    """Return the pixels of a file, uint8 `(height, width, channels)`, upright.

    Args:
        file: String tensor without axes, the path.
        color_mode: "rgb", "grayscale" or "rgba". Pictures without alpha get an opaque one.
    """
    encoded = tf.io.read_file(file)
    if color_mode != "rgba":
        return decode_image(encoded, CHANNELS[color_mode])
    is_png = tf.strings.substr(encoded, 0, 4) == b"\x89PNG"
    image = tf.cond(is_png, lambda: tf.io.decode_png(encoded, 4), lambda: _opaque(decode_image(encoded, 3)))
    image.set_shape((None, None, 4))
    return image


def _opaque(image):
    return tf.pad(image, ((0, 0), (0, 0), (0, 1)), constant_values=255)


def file_loader(image_size, color_mode, entry=None, scale=None):
    """Return `load(file, index, drawn)`: decode, then one resampling pass to `image_size`.

    Args:
        image_size: (height, width).
        color_mode: "rgb", "grayscale" or "rgba".
        entry: An augmenter's `entry()`, which takes the decoded picture to the target size itself; None for a bilinear
            resize without antialiasing, as in serving.
        scale: Factor that `entry` puts on its result, float32 then. Default None: whole grey levels.
    """

    def load(file, index, drawn):
        image = decode_file(file, color_mode)
        if entry is None:
            image = tf.image.resize(image, image_size)
        else:
            image = entry.decode_to(image, drawn, image_size, scale)
        return tf.ensure_shape(image, (*image_size, CHANNELS[color_mode]))

    return load


def batch_finisher(num_classes, class_mode, *, augment=None, rescale=None):
    """Return `finish(batch, seeds)`: labels by class mode, augmentation, float32, scale.

    Args:
        num_classes: Number of classes.
        class_mode: "categorical", "sparse", "binary" or None.
        augment: An augmenter with `augment(batch, seeds)`, or a function or layer of float32 images, or None.
        rescale: Factor on the pixel values after augmentation, or None.
    """

    def finish(batch, seeds):
        batch = {"images": batch["images"]} | _labels(batch["labels"], num_classes, class_mode)
        if hasattr(augment, "augment"):
            batch = augment.augment(batch, seeds)
        images = tf.cast(batch["images"], tf.float32)
        if augment is not None and not hasattr(augment, "augment"):
            images = tf.cast(_call(augment, images), tf.float32)
        if rescale is not None:
            images = images * rescale
        return images if class_mode is None else (images, batch["labels"])

    return finish


def _labels(labels, num_classes, class_mode):
    if class_mode is None:
        return {}
    if class_mode == "categorical":
        labels = tf.one_hot(labels, num_classes)
    elif class_mode == "binary":
        labels = tf.cast(labels[:, None], tf.float32)
    return {"labels": labels}


def _call(function, images):
    takes_training = "training" in inspect.signature(getattr(function, "call", function)).parameters
    return function(images, training=True) if takes_training else function(images)
