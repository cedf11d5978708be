"""Pictures and seeds for the tests of augmenters, and what an entry makes of them."""

import numpy as np
import tensorflow as tf


def seeds_for(count, first=0):
    """Return one seed an example, int32 `(count, 2)`."""
    return tf.constant(np.stack([np.full(count, 5), np.arange(first, first + count)], axis=1), tf.int32)


def smooth(height, width, channels=3):
    """Return a picture without edges, uint8: neighbours differ by a few levels."""
    y, x = np.mgrid[:height, :width].astype("float64")
    waves = [np.sin(y / (5 + 2 * k) + k) + np.cos(x / (7 + k) - k) for k in range(channels)]
    return np.round(np.stack(waves, axis=-1) * 60 + 127).astype("uint8")


def noisy(count, height, width, channels=3, seed=0):
    """Return pictures of independent pixels, uint8."""
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, channels), np.uint8)


def painted(box, height=48, width=64):
    """Return a picture, uint8 `(height, width, 3)`, that is white in the box (x1, y1, x2, y2) and black elsewhere."""
    x1, y1, x2, y2 = box
    picture = np.zeros((height, width, 3), np.uint8)
    picture[y1:y2, x1:x2] = 255
    return picture


def decoded_to(entry, picture, seed, image_size):
    """Return what an augmenter's `entry()` makes of a decoded picture with one seed."""
    return entry.decode_to(
        picture, tf.nest.map_structure(lambda part: part[0], entry.draw(seed[None], image_size)), image_size
    )
