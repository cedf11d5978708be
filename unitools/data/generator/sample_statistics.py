"""Mean, standard deviation and whitening matrix of sample pictures."""

import warnings

import numpy as np

from unitools.core.checks import check_integer, fail
from unitools.data.generator.parameter_draws import draw_parameters


def fit_statistics(generator, x, augment, rounds, seed):
    """Set `mean`, `std` and `zca_whitening_matrix` of a generator, those of them that it uses."""
    x = np.array(x, dtype=generator.dtype)
    _check_pictures(generator, x)
    check_integer("rounds", rounds, 1)
    if generator.rescale:
        x *= generator.rescale
    if augment:
        random = np.random if seed is None else np.random.RandomState(seed)
        x = np.stack([_augmented(generator, picture, random) for _ in range(rounds) for picture in x])
    axes = tuple(axis for axis in range(4) if axis != generator.channel_axis)
    if generator.featurewise_center:
        generator.mean = np.mean(x, axis=axes, keepdims=True)[0]
        x -= generator.mean
    if generator.featurewise_std_normalization:
        generator.std = np.std(x, axis=axes, keepdims=True)[0]
        x /= generator.std + 1e-6
    if generator.zca_whitening:
        generator.zca_whitening_matrix = _whitening(x.reshape(len(x), -1), generator.zca_epsilon)


def _augmented(generator, picture, random):
    return generator.apply_transform(picture, draw_parameters(generator, picture.shape, random))


def _whitening(flat, epsilon):
    """Return the matrix (values, values) that takes away the correlations between the values of a picture."""
    directions, strengths, _ = np.linalg.svd(flat.T, full_matrices=False)
    return (directions * (np.sqrt(len(flat)) / (strengths + epsilon))).dot(directions.T)


def _check_pictures(generator, x):
    if x.ndim != 4:
        fail("x", x.shape, "an array of pictures with four axes (its shape is shown)", "Use x[None] for one picture.")
    if x.shape[generator.channel_axis] not in (1, 3, 4):
        warnings.warn(
            f"Pictures have 1, 3 or 4 channels. With data_format={generator.data_format!r} those of shape {x.shape} "
            f"have {x.shape[generator.channel_axis]}. Is `data_format` right?",
            stacklevel=4,
        )
