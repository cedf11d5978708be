"""Normalisation after augmentation: function, scale, centring, standard deviation, whitening, in the old order."""

import math
import warnings

import numpy as np
import tensorflow as tf

_TINY = 1e-6
"""Added to every standard deviation, as the old class did."""


def standardize_array(generator, x):
    """Return a normalised copy of a picture or a batch of pictures, with numpy."""
    x = np.asarray(x)
    x = x.astype(x.dtype if np.issubdtype(x.dtype, np.floating) else generator.dtype)
    if generator.preprocessing_function:
        x = np.array(generator.preprocessing_function(x))
    if generator.rescale:
        x *= generator.rescale
    if generator.samplewise_center:
        x -= np.mean(x, keepdims=True)
    if generator.samplewise_std_normalization:
        x /= np.std(x, keepdims=True) + _TINY
    mean, std, whitening = fitted_statistics(generator)
    if mean is not None:
        x -= mean
    if std is not None:
        x /= std + _TINY
    if whitening is not None:
        x = np.reshape(x.reshape(-1, math.prod(x.shape[-3:])) @ whitening, x.shape)
    return x


def standardizer(generator):
    """Return the same as a function of a float32 batch in the graph. It keeps the statistics of this moment."""
    mean, std, whitening = fitted_statistics(generator)

    def standardize(images):
        if generator.preprocessing_function:
            images = _call(generator.preprocessing_function, images)
        if generator.rescale:
            images = images * generator.rescale
        if generator.samplewise_center:
            images = images - tf.reduce_mean(images, (1, 2, 3), keepdims=True)
        if generator.samplewise_std_normalization:
            images = images / (tf.math.reduce_std(images, (1, 2, 3), keepdims=True) + _TINY)
        if mean is not None:
            images = images - tf.constant(mean, tf.float32)
        if std is not None:
            images = images / (tf.constant(std, tf.float32) + _TINY)
        return images if whitening is None else _whiten(images, whitening)

    return standardize


def fitted_statistics(generator):
    """Return (mean, std, whitening matrix), each None where it is not asked for, or not known yet: that warns."""
    wanted = {
        "featurewise_center": generator.mean,
        "featurewise_std_normalization": generator.std,
        "zca_whitening": generator.zca_whitening_matrix,
    }
    found = []
    for name, statistic in wanted.items():
        asked = getattr(generator, name)
        if asked and statistic is None:
            warnings.warn(
                f"`{name}` needs statistics of the data, and there are none yet: it is left out. Call `fit(x)` on "
                "sample pictures before the flow is made.",
                stacklevel=4,
            )
        found.append(statistic if asked else None)
    return tuple(found)


def _call(function, images):
    """Call a Python function on each picture of a batch."""

    def each(batch):
        # Copies: the function may write to its argument, whose memory is TensorFlow's.
        return np.stack([np.asarray(function(picture.copy()), np.float32) for picture in batch])

    return tf.ensure_shape(tf.numpy_function(each, [images], tf.float32), images.shape)


def _whiten(images, matrix):
    matrix = tf.constant(matrix, tf.float32)
    return tf.reshape(tf.matmul(tf.reshape(images, (-1, matrix.shape[0])), matrix), tf.shape(images))
