import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from tests.data.image.painting import noisy, smooth
from unitools.data.image.operations import autocontrast, equalize, posterize, solarize


def pictures():
    generator = np.random.default_rng(3)
    narrow = generator.integers(90, 140, (40, 50, 3), np.uint8)
    skewed = (generator.random((40, 50, 3)) ** 4 * 255).astype("uint8")
    uniform = np.full((8, 9, 3), 77, np.uint8)
    return {"noise": noisy(1, 40, 50)[0], "smooth": smooth(30, 40), "narrow": narrow, "skewed": skewed, "flat": uniform}


PICTURES = pictures()


def by_pillow(function, picture, *arguments):
    return np.asarray(function(Image.fromarray(picture), *arguments)).astype("int32")


def gap(ours, theirs):
    assert ours.dtype == tf.uint8
    return np.abs(ours.numpy().astype("int32") - theirs).max()


@pytest.mark.parametrize("name", PICTURES)
def test_autocontrast_is_pillows(name):
    # Pillow adds up in double precision, and cuts off: whole numbers may fall below themselves there too.
    assert gap(autocontrast(tf.constant(PICTURES[name])), by_pillow(ImageOps.autocontrast, PICTURES[name])) <= 1


@pytest.mark.parametrize("name", PICTURES)
def test_equalize_is_pillows(name):
    assert gap(equalize(tf.constant(PICTURES[name])), by_pillow(ImageOps.equalize, PICTURES[name])) == 0


@pytest.mark.parametrize("threshold", [0.0, 1.0, 100.0, 100.5, 255.0, 256.0])
def test_solarize_is_pillows(threshold):
    picture = PICTURES["noise"]
    assert (
        gap(solarize(tf.constant(picture), tf.constant(threshold)), by_pillow(ImageOps.solarize, picture, threshold))
        == 0
    )


@pytest.mark.parametrize("bits", range(1, 9))
def test_posterize_is_pillows(bits):
    picture = PICTURES["noise"]
    assert (
        gap(posterize(tf.constant(picture), tf.constant(float(bits))), by_pillow(ImageOps.posterize, picture, bits))
        == 0
    )


@pytest.mark.parametrize("operation", [autocontrast, equalize])
def test_compiled_once_for_all_pictures(operation):
    compiled = tf.function(operation, jit_compile=True)
    for name in ("noise", "narrow", "skewed"):
        np.testing.assert_allclose(
            compiled(tf.constant(PICTURES[name])), operation(tf.constant(PICTURES[name])), atol=1
        )
    assert compiled.experimental_get_tracing_count() == 1


def test_one_channel():
    grey = PICTURES["narrow"][..., :1]
    expected = np.asarray(ImageOps.equalize(Image.fromarray(grey[..., 0], "L")))
    np.testing.assert_array_equal(equalize(tf.constant(grey))[..., 0], expected)
