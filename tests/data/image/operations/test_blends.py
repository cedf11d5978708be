import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageEnhance

from tests.data.image.painting import noisy, smooth
from unitools.data.image.operations import brightness, color, contrast, sharpness

OPERATIONS = {
    "brightness": (brightness, ImageEnhance.Brightness),
    "color": (color, ImageEnhance.Color),
    "contrast": (contrast, ImageEnhance.Contrast),
    "sharpness": (sharpness, ImageEnhance.Sharpness),
}


@pytest.mark.parametrize("factor", [0.0, 0.1, 0.5, 1.0, 1.3, 1.9])
@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("picture", [noisy(1, 40, 50)[0], smooth(30, 40)], ids=["noise", "smooth"])
def test_is_pillows(picture, name, factor):
    ours, theirs = OPERATIONS[name]
    result = ours(tf.constant(picture), tf.constant(factor))
    expected = np.asarray(theirs(Image.fromarray(picture)).enhance(factor)).astype("int32")
    assert result.dtype == tf.uint8
    # Pillow cuts fractions off; luma and the smoothed picture are rounded to bytes before they are blended.
    assert np.abs(result.numpy().astype("int32") - expected).max() <= 1 + (factor > 1)


@pytest.mark.parametrize("name", OPERATIONS)
def test_factor_one_changes_nothing(name):
    picture = noisy(1, 20, 30)[0]
    np.testing.assert_array_equal(OPERATIONS[name][0](tf.constant(picture), tf.constant(1.0)), picture)


@pytest.mark.parametrize("name", OPERATIONS)
def test_grey_pictures_of_one_channel(name):
    grey = noisy(1, 20, 30, 1)[0]
    expected = OPERATIONS[name][0](tf.constant(np.repeat(grey, 3, axis=-1)), tf.constant(0.4)).numpy()
    result = OPERATIONS[name][0](tf.constant(grey), tf.constant(0.4)).numpy()
    assert result.shape == grey.shape
    np.testing.assert_allclose(result[..., 0], expected[..., 0], atol=1)


@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (1, 9)])
def test_pictures_without_inner_pixels_are_left(shape):
    picture = noisy(1, *shape)[0]
    np.testing.assert_array_equal(sharpness(tf.constant(picture), tf.constant(1.9)), picture)
