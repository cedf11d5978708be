import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tests.data.image.painting import noisy, seeds_for
from unitools.data.image import RandomErasing

SIZE = (60, 100)


def rectangles(count=2000, size=SIZE, **arguments):
    """Return (top, left, bottom, right) of each picture, float64."""
    drawn = RandomErasing(**({"rate": 1.0} | arguments)).sample(seeds_for(count), size)["rectangles"]
    return drawn.numpy().astype("float64").T


def test_area_and_aspect_fill_their_ranges():
    top, left, bottom, right = rectangles(area=(0.05, 0.2), aspect=(0.5, 2.0))
    area = (bottom - top) * (right - left) / 6000
    aspect = (bottom - top) / (right - left)
    assert stats.kstest(area, stats.uniform(0.05, 0.15).cdf).statistic < 0.05
    assert stats.kstest(np.log(aspect), stats.uniform(np.log(0.5), np.log(4)).cdf).statistic < 0.05


def test_rectangles_lie_in_the_picture_evenly():
    top, left, bottom, right = rectangles()
    assert top.min() == 0 and left.min() == 0 and bottom.max() == 60 and right.max() == 100
    assert (bottom > top).all() and (right > left).all()
    for start, end, length in ((top, bottom, 60), (left, right, 100)):
        room = length - (end - start)
        assert abs(np.mean((start + 0.5) / (room + 1)) - 0.5) < 0.03


def test_an_area_that_fits_in_one_shape_only():
    top, left, bottom, right = rectangles(50, area=(1, 1), aspect=(3, 3))
    assert (top == 0).all() and (left == 0).all() and (bottom == 60).all() and (right == 100).all()


def test_the_share_of_pictures():
    top, _, bottom, _ = rectangles(rate=0.3)
    assert abs(np.mean(bottom > top) - 0.3) < 0.04


@pytest.mark.parametrize("fill", ["noise", 7.0])
def test_only_the_rectangle_changes(fill):
    pictures = noisy(5, *SIZE)
    layer = RandomErasing(rate=1, fill=fill)
    results = layer.augment({"images": tf.constant(pictures)}, seeds_for(5))["images"].numpy()
    for result, picture, (top, left, bottom, right) in zip(results, pictures, rectangles(5).T.astype(int), strict=True):
        inside = np.zeros(SIZE, bool)
        inside[top:bottom, left:right] = True
        np.testing.assert_array_equal(result[~inside], picture[~inside])
        assert np.mean(result[inside] != picture[inside]) > 0.9
        assert fill == "noise" or (result[inside] == 7).all()


@pytest.mark.parametrize(("dtype", "value_range"), [("uint8", (0, 255)), ("float32", (-1, 1)), ("int32", (10, 20))])
def test_noise_is_uniform_and_another_one_for_each_picture(dtype, value_range):
    layer = RandomErasing(rate=1, area=(1, 1), value_range=value_range)
    pictures = tf.zeros((2, *SIZE, 3), dtype)
    noise = layer.augment({"images": pictures}, seeds_for(2))["images"].numpy().astype("float64")
    low, high = value_range
    # Whole numbers of few levels: half a level on either side.
    step = 0.5 if dtype != "float32" else 0
    reference = stats.uniform(low - step, high - low + 2 * step).cdf
    spread = np.random.default_rng(0).uniform(-step, step, noise[0].size) if step else 0
    expected = 0.02 if dtype != "int32" else 0.06  # ends of the range get half of a level's share
    assert stats.kstest(noise[0].ravel() + spread, reference).statistic < expected
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 0.05
    assert abs(np.corrcoef(noise[0].ravel()[1:], noise[0].ravel()[:-1])[0, 1]) < 0.05


def test_masks_and_boxes_stay():
    batch = {
        "images": tf.constant(noisy(2, 8, 8)),
        "masks": tf.ones((2, 8, 8), tf.uint8),
        "boxes": tf.constant([[[1.0, 2.0, 5.0, 6.0]]] * 2),
        "labels": tf.constant([1, 2]),
    }
    outputs = RandomErasing(rate=1).augment(batch, seeds_for(2))
    for key in ("masks", "boxes", "labels"):
        np.testing.assert_array_equal(outputs[key], batch[key])
