"""Decoded pictures kept in memory."""

import os

import tensorflow as tf

from unitools.data.picture_source import CHANNELS, file_loader

LARGEST_SHARE = 0.5
"""Share of the free memory that a cache may take."""
_AT_A_TIME = 64


def cache_pictures(files, image_size, color_mode):
    """Decode pictures into one uint8 variable `(num_examples, height, width, channels)`, and say how large it is.

    Raises:
        MemoryError: The pictures would take more than half of the memory that is free.
    """
    shape = (len(files), *image_size, CHANNELS[color_mode])
    size = int(tf.reduce_prod(tf.constant(shape, tf.int64)))
    _check_size(size, shape)
    print(f"Keeping {shape[0]} decoded pictures of {shape[1]} x {shape[2]} in memory: {size / 2**20:,.0f} MB.")
    load = file_loader(image_size, color_mode)

    def pixels(file):
        return tf.cast(tf.round(load(file, None, None)), tf.uint8)

    names = tf.data.Dataset.from_tensor_slices([os.fsencode(file) for file in files])
    batches = names.map(pixels, num_parallel_calls=tf.data.AUTOTUNE).batch(_AT_A_TIME).prefetch(1)
    with tf.init_scope(), tf.device("CPU:0"):
        kept = tf.Variable(tf.zeros(shape, tf.uint8), trainable=False, name="pictures")
    for number, batch in enumerate(batches):
        first = number * _AT_A_TIME
        kept[first : first + _AT_A_TIME].assign(batch)
    return kept


def cache_loader(kept):
    """Return `load(file, index, drawn)` that takes the picture from the cache."""

    def load(file, index, drawn):
        return kept.sparse_read(index)

    return load


def free_memory():
    """Return the bytes of memory that are free, by the operating system."""
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _check_size(size, shape):
    free = free_memory()
    if size > LARGEST_SHARE * free:
        raise MemoryError(
            f"`cache=True` must fit into {LARGEST_SHARE:.0%} of the free memory ({free / 2**20:,.0f} MB). {shape[0]} "
            f"pictures of {shape[1]} x {shape[2]} x {shape[3]} take {size / 2**20:,.0f} MB. Use cache=False, a smaller "
            "image_size, or a `split` of the data."
        )
