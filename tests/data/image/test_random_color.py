import colorsys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageEnhance

from tests.data.image.painting import noisy, seeds_for
from unitools.data.image import RandomColor

LUMA = np.array([0.299, 0.587, 0.114])


def changed(pictures, count=None, **arguments):
    batch = {"images": tf.constant(pictures)}
    return RandomColor(**arguments).augment(batch, seeds_for(len(pictures)))["images"].numpy()


@pytest.mark.parametrize("factor", [0.3, 1.0, 1.7])
@pytest.mark.parametrize(
    ("name", "enhance"),
    [("brightness", ImageEnhance.Brightness), ("contrast", ImageEnhance.Contrast), ("saturation", ImageEnhance.Color)],
)
def test_factors_are_pillows(name, enhance, factor):
    pictures = noisy(2, 30, 40)
    results = changed(pictures, **{name: (factor, factor)})
    for result, picture in zip(results, pictures, strict=True):
        expected = np.asarray(enhance(Image.fromarray(picture)).enhance(factor)).astype("int32")
        assert np.abs(result - expected).max() <= 1


@pytest.mark.parametrize("turn", [-0.2, 0.05, 0.5])
def test_hue_turns_in_yiq(turn):
    # Pale colours: none leaves the range.
    pictures = np.random.default_rng(0).uniform(0.4, 0.6, (1, 6, 7, 3)).astype("float32")
    results = changed(pictures, hue=(turn, turn), value_range=(0, 1))
    angle = turn * 2 * np.pi
    for result, pixel in zip(results.reshape(-1, 3), pictures.reshape(-1, 3), strict=True):
        y, i, q = colorsys.rgb_to_yiq(*pixel)
        y_new, i_new, q_new = colorsys.rgb_to_yiq(*result)
        expected = (y, i * np.cos(angle) - q * np.sin(angle), i * np.sin(angle) + q * np.cos(angle))
        np.testing.assert_allclose((y_new, i_new, q_new), expected, atol=2e-3)


def test_a_full_chain_is_its_parts_one_after_the_other():
    pictures = np.random.default_rng(0).uniform(0.4, 0.6, (3, 8, 8, 3)).astype("float64")
    ours = changed(
        pictures.astype("float32"),
        brightness=(1.2, 1.2),
        contrast=(0.7, 0.7),
        saturation=(1.5, 1.5),
        value_range=(0, 1),
    )
    values = pictures * 1.2
    middle = (values @ LUMA).mean(axis=(1, 2))[:, None, None, None]
    values = middle + 0.7 * (values - middle)
    luma = (values @ LUMA)[..., None]
    np.testing.assert_allclose(ours, luma + 1.5 * (values - luma), atol=1e-4)


def test_parameters_fill_their_ranges_independently():
    parameters = RandomColor(brightness=(0.5, 1.5), contrast=(0.2, 0.8)).sample(seeds_for(1000), (8, 8))
    brightness, contrast = parameters["matrices"].numpy()[:, 0].sum(axis=-1), parameters["contrast"].numpy()
    for values, low, high in ((brightness, 0.5, 1.5), (contrast, 0.2, 0.8)):
        assert low - 1e-4 <= values.min() < low + 0.02 and high - 0.02 < values.max() <= high + 1e-4
    assert abs(np.corrcoef(brightness, contrast)[0, 1]) < 0.15


def test_a_share_becomes_grey():
    results = changed(noisy(400, 3, 3), gray=0.25).astype("int32")
    grey = (np.ptp(results, axis=-1) <= 1).all(axis=(1, 2))
    assert abs(grey.mean() - 0.25) < 0.08


def test_black_need_not_be_zero():
    pictures = noisy(2, 8, 8)
    expected = changed(pictures.astype("float32"), brightness=(0.5, 0.5), contrast=(1.4, 1.4), saturation=(0.3, 0.3))
    shifted = changed(
        (pictures / 127.5 - 1).astype("float32"),
        brightness=(0.5, 0.5),
        contrast=(1.4, 1.4),
        saturation=(0.3, 0.3),
        value_range=(-1, 1),
    )
    np.testing.assert_allclose((shifted + 1) * 127.5, expected, atol=0.02)


def test_one_channel_is_the_grey_picture():
    grey = noisy(2, 8, 8, 1)
    arguments = {"brightness": (1.3, 1.3), "contrast": (0.6, 0.6), "saturation": (2, 2), "hue": (0.2, 0.2)}
    colour = changed(np.repeat(grey, 3, axis=-1), **arguments).astype("int32")
    np.testing.assert_allclose(changed(grey, **arguments)[..., 0], colour[..., 0], atol=1)


def test_other_channels_are_refused():
    with pytest.raises(ValueError, match=r"RandomColor.*1 channel.*Received images of shape \(2, 8, 8, 4\)"):
        changed(noisy(2, 8, 8, 4), brightness=0.1)
