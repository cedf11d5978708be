"""Squares of zeros in feature maps."""

import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.regularization.statistics import assert_share, normal

DropBlock = ut.regularization.DropBlock


def dropped(layer, *shape):
    return layer(np.ones(shape, "float32"), training=True).numpy() == 0


def squares(corners, side):
    """Return what the corners cover, in plain loops."""
    batch, rows, columns, channels = corners.shape
    covered = np.zeros((batch, rows + side - 1, columns + side - 1, channels), bool)
    for example, row, column, channel in zip(*np.nonzero(corners), strict=True):
        covered[example, row : row + side, column : column + side, channel] = True
    return covered


def test_the_positions_are_covered_by_squares_that_lie_inside():
    holes = dropped(DropBlock(0.2, block_size=3, seed=1), 50, 12, 10, 2)
    # Each hole is a corner of a full square, or in one: opening by the square changes nothing.
    corners = np.lib.stride_tricks.sliding_window_view(holes, (3, 3), axis=(1, 2)).all(axis=(-1, -2))
    np.testing.assert_array_equal(squares(corners, 3), holes)
    assert holes.any()


@pytest.mark.parametrize(("rate", "side"), [(0.1, 1), (0.1, 3), (0.3, 5)])
def test_the_share_of_corners_is_the_papers_gamma(rate, side):
    """A corner at (0, 0) is the only one that covers it, so its share is gamma."""
    examples, height, width = 4000, 11, 8
    gamma = rate / side**2 * height * width / ((height - side + 1) * (width - side + 1))  # equation 1
    holes = dropped(DropBlock(rate, block_size=side, seed=2), examples, height, width, 5)
    assert_share(holes[:, 0, 0].sum(), examples * 5, gamma)
    # A position in the middle stays if none of side x side corners was drawn.
    assert_share(holes[:, 5, 4].sum(), examples * 5, 1 - (1 - gamma) ** (side * min(side, width - side + 1, 5)))


def test_what_is_left_is_scaled_to_the_mean_of_each_example():
    x = normal(6, 9, 9, 2)
    layer = DropBlock(0.3, block_size=3, seed=3)
    y = layer(x, training=True).numpy()
    kept = y != 0
    scale = kept.size / 6 / kept.sum(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(y, np.where(kept, x * scale, 0), rtol=1e-5)


def test_one_square_for_all_channels_or_each_its_own():
    together = dropped(DropBlock(0.2, block_size=3, per_channel=False, seed=4), 20, 9, 9, 4)
    assert (together == together[..., :1]).all()
    apart = dropped(DropBlock(0.2, block_size=3, seed=4), 20, 9, 9, 4)
    assert (apart != apart[..., :1]).any()


def test_a_map_of_one_square_is_dropped_whole_without_a_number_that_is_none():
    y = DropBlock(0.5, block_size=7, seed=1)(np.ones((40, 7, 7, 1), "float32"), training=True).numpy()
    assert set(np.unique(y)) == {0.0, 1.0}


def test_inference_and_rate_0_change_nothing():
    x = normal(2, 8, 8, 3)
    np.testing.assert_array_equal(DropBlock(0.5, seed=1)(x), x)
    np.testing.assert_array_equal(DropBlock(0.0, seed=1)(x, training=True), x)


def test_xla_and_half_precision():
    layer = DropBlock(0.2, block_size=3, seed=5, dtype="mixed_bfloat16")
    y = tf.function(lambda x: layer(x, training=True), jit_compile=True)(np.ones((8, 16, 16, 3), "float32"))
    assert y.dtype == tf.bfloat16
    # Eight binary digits of mantissa, half a last place at 1 to 2.
    np.testing.assert_allclose(tf.cast(y, "float32").numpy().mean(axis=(1, 2, 3)), 1, atol=2**-8 * 2)


def test_maps_of_any_size_in_one_graph():
    layer = DropBlock(0.2, block_size=3, seed=6)
    trace = tf.function(lambda x: layer(x, training=True), input_signature=[tf.TensorSpec((None, None, None, 2))])
    for size in (5, 9):
        np.testing.assert_allclose(tf.reduce_mean(trace(tf.ones((3, size, size + 1, 2))), axis=(1, 2, 3)), 1, rtol=1e-5)


def test_bad_input():
    with pytest.raises(ValueError, match=r"`block_size` must be at most the sides of the maps, \(4, 9\).*block_size=5"):
        DropBlock(0.1, block_size=5)(np.ones((1, 4, 9, 2)))
    with pytest.raises(ValueError, match="`inputs` must be"):
        DropBlock(0.1)(np.ones((1, 9, 9)))
    with pytest.raises(ValueError, match=r"`rate` must be a number in \[0, 1\)"):
        DropBlock(1)
