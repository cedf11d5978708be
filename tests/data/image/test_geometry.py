import numpy as np
import pytest
import tensorflow as tf

from tests.data.image.painting import painted
from unitools.data.image import geometry
from unitools.data.image.warp import warp

FIRST = [[[0.9, -0.5, 9.3], [0.4, 1.1, -11.7]]]
SECOND = [[[2.3, 0.1, -20.4], [-0.2, 2.6, -17.2]]]


def square(matrices):
    """Return the 3 x 3 form of the first matrix, float64."""
    return np.vstack([np.asarray(matrices, "float64")[0], [0, 0, 1]])


def test_compose_is_the_product():
    composed = geometry.compose(tf.constant(FIRST), tf.constant(SECOND))
    np.testing.assert_allclose(square(composed), square(SECOND) @ square(FIRST), rtol=1e-5, atol=1e-4)


def test_invert_is_the_inverse():
    np.testing.assert_allclose(square(geometry.invert(tf.constant(FIRST))), np.linalg.inv(square(FIRST)), atol=1e-4)


def test_around_centre_keeps_the_centre():
    matrix = square(geometry.around_centre(geometry.affine(0.5, 0.2, 0.0, -0.3, 2.0, 0.0)[None], (5, 9)))
    np.testing.assert_allclose(matrix @ [4, 2, 1], [4, 2, 1], atol=1e-6)


@pytest.mark.parametrize("size", [(7, 30), (40, 40)])
def test_resize_is_tensorflows(size):
    picture = np.random.default_rng(0).random((1, 19, 23, 3)).astype("float32")
    result = warp(tf.constant(picture), geometry.resize((19, 23), size)[None], size)
    np.testing.assert_allclose(result, tf.image.resize(picture, size), atol=1e-4)


def test_flips_are_reversals():
    picture = np.random.default_rng(0).random((3, 5, 8, 2)).astype("float32")
    horizontal, vertical = tf.constant([1.0, 0.0, 1.0]), tf.constant([0.0, 1.0, 1.0])
    result = warp(tf.constant(picture), geometry.flip(horizontal, vertical, (5, 8)), (5, 8))
    np.testing.assert_array_equal(result, [picture[0, :, ::-1], picture[1, ::-1], picture[2, ::-1, ::-1]])


@pytest.mark.parametrize("degrees", [0, 90, 30])
@pytest.mark.parametrize("box", [(20, 10, 40, 30), (1, 2, 25, 20), (50, 30, 64, 48)])
def test_boxes_go_where_their_pixels_go(box, degrees):
    angle = np.deg2rad(degrees)
    turn = geometry.affine(np.cos(angle), -np.sin(angle), 2.0, np.sin(angle), np.cos(angle), -3.0)
    matrices = geometry.around_centre(turn[None], (48, 64))
    moved = geometry.map_boxes(tf.constant([[box]], tf.float32), geometry.invert(matrices), (48, 64)).numpy()[0, 0]
    seen = warp(tf.constant(painted(box)[None]), matrices, (48, 64), 0.0).numpy()[0, ..., 0]
    ys, xs = np.nonzero(seen > 127)
    held = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
    # A turned corner is a point, of which half a pixel may be too dark to see.
    assert np.abs(moved - held).max() <= (0.51 if degrees % 90 == 0 else 1.5)


def test_boxes_are_clipped_to_the_picture():
    shift = geometry.affine(c=tf.constant([30.0]))
    boxes = tf.constant([[[10.0, 5.0, 50.0, 20.0], [40.0, 0.0, 60.0, 9.0]]])
    np.testing.assert_allclose(geometry.map_boxes(boxes, shift, (48, 64)), [[[40, 5, 64, 20], [64, 0, 64, 9]]])
