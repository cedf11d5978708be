from functools import partial

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from tests.data.image.painting import noisy, smooth
from unitools.data.image.warp import warp
from unitools.data.image.warp_bytes import warp_bytes

FILLS = ["nearest", "reflect", "wrap", 30.0]
SIZE = (37, 53)
# x' = ..., y' = ...: a turn with shear that leaves the picture on all sides, a shrinking, an enlarging.
MATRICES = {
    "turn": [[0.9, -0.5, 9.3], [0.4, 1.1, -11.7]],
    "shrink": [[2.3, 0.1, -20.4], [-0.2, 2.6, -17.2]],
    "enlarge": [[0.3137, 0.0013, 3.2071], [0.0511, 0.2719, 2.1039]],
}


def by_scipy(picture, matrix, size, fill, order=1):
    """Return scipy's resampling, float64. Its axes are (y, x)."""
    (a, b, c), (d, e, f) = np.float32(matrix)
    mode = {"mode": fill} if isinstance(fill, str) else {"mode": "constant", "cval": fill}
    channels = [
        ndimage.affine_transform(channel, [[e, d], [b, a]], (f, c), output_shape=size, order=order, **mode)
        for channel in np.moveaxis(picture.astype("float64"), -1, 0)
    ]
    return np.stack(channels, axis=-1)


def as_matrices(*matrices):
    return tf.constant(matrices, tf.float32)


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("name", MATRICES)
def test_floats_equal_scipy(name, fill):
    pictures = noisy(2, 41, 47).astype("float32")
    results = warp(tf.constant(pictures), as_matrices(MATRICES[name], MATRICES["turn"]), SIZE, fill).numpy()
    for result, picture, matrix in zip(results, pictures, (MATRICES[name], MATRICES["turn"]), strict=True):
        expected = by_scipy(picture, matrix, SIZE, fill)
        # A position within float error of the edge of the fill may fall on either side of it.
        assert np.mean(np.abs(result - expected) > 5e-3) < 0.002


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("name", MATRICES)
def test_bytes_equal_scipy_within_a_level(name, fill):
    picture = smooth(41, 47)
    result = warp_bytes(tf.constant(picture[None]), as_matrices(MATRICES[name]), SIZE, fill).numpy()[0]
    gap = np.abs(result - by_scipy(picture, MATRICES[name], SIZE, fill))
    # "wrap" and "reflect" put unlike pixels side by side, where 1/256 pixel is more than a level; a fill has an edge.
    assert np.mean(gap > 1.01) < 0.01 and np.median(gap) < 0.6


# Rows stay rows: sheared and mirrored beyond all sides, shrunk, enlarged.
ROWS = {
    "mirror": [[-0.9017, 0.3129, 40.313], [0.0, -1.1013, 44.717]],
    "shrink": [[2.3017, 0.4129, -20.413], [0.0, 2.6113, -17.217]],
    "enlarge": [[0.3137, 0.1013, 3.2071], [0.0, 0.2719, 2.1039]],
}


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("name", ROWS)
def test_the_kernel_for_rows_equals_scipy_within_a_level(name, fill):
    pictures = np.stack([smooth(41, 47), smooth(41, 47)[::-1]])
    matrices = as_matrices(ROWS[name], ROWS["mirror"])
    results = warp_bytes(tf.constant(pictures), matrices, SIZE, fill, keeps_rows=True).numpy()
    for result, picture, matrix in zip(results, pictures, (ROWS[name], ROWS["mirror"]), strict=True):
        gap = np.abs(result - by_scipy(picture, matrix, SIZE, fill))
        assert np.mean(gap > 1.01) < 0.01 and np.median(gap) < 0.6


@pytest.mark.parametrize("keeps_rows", [False, True])
@pytest.mark.parametrize("fill", ["nearest", 30.0])
def test_a_scale_gives_floats_that_are_not_rounded_again(keeps_rows, fill):
    picture = smooth(41, 47)
    call = partial(warp_bytes, tf.constant(picture[None]), as_matrices(ROWS["enlarge"]), SIZE, fill)
    scaled = call(keeps_rows=keeps_rows, scale=1 / 255).numpy()[0]
    assert scaled.dtype == np.float32
    gap = np.abs(scaled * 255 - by_scipy(picture, ROWS["enlarge"], SIZE, fill))
    assert np.mean(gap > 1.01) < 0.01
    assert np.abs(call(keeps_rows=keeps_rows).numpy()[0] - scaled * 255).max() <= 0.501


@pytest.mark.parametrize("keeps_rows", [False, True])
def test_within_one_compiled_program(keeps_rows):
    call = partial(warp_bytes, size=SIZE, keeps_rows=keeps_rows)
    whole = tf.function(lambda images, matrices: call(images, matrices) + 0, jit_compile=True)
    arguments = tf.constant(noisy(2, 41, 47)), as_matrices(ROWS["mirror"], ROWS["shrink"])
    np.testing.assert_array_equal(whole(*arguments), call(*arguments))


@pytest.mark.parametrize("width", [1, 5, 63, 64, 65, 80, 81])
def test_widths_around_those_of_the_buffers(width):
    picture = noisy(1, 7, width)
    identity = as_matrices([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    for keeps_rows in (False, True):
        same = warp_bytes(tf.constant(picture), identity, (7, width), keeps_rows=keeps_rows)
        np.testing.assert_array_equal(same, picture)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_integers_are_rounded_and_other_channels_taken(channels):
    pictures = noisy(1, 20, 20, channels)
    result = warp(tf.constant(pictures), as_matrices(MATRICES["turn"]), (20, 20), "nearest").numpy()
    assert result.dtype == np.uint8
    expected = by_scipy(pictures[0], MATRICES["turn"], (20, 20), "nearest")
    assert np.abs(result[0] - expected).max() < 0.51


def test_nearest_gives_only_values_that_were_there():
    masks = np.random.default_rng(0).choice([0, 3, 200], (1, 30, 30, 1)).astype("uint8")
    result = warp(
        tf.constant(masks), as_matrices(MATRICES["enlarge"]), (60, 60), "nearest", interpolation="nearest"
    ).numpy()
    expected = by_scipy(masks[0], MATRICES["enlarge"], (60, 60), "nearest", order=0)
    assert set(np.unique(result)) <= {0, 3, 200}
    assert np.mean(result[0] != expected) < 0.01


@pytest.mark.parametrize("kernel", [warp, warp_bytes, partial(warp_bytes, keeps_rows=True)])
@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
def test_pictures_of_one_row_or_pixel(kernel, fill, shape):
    picture = smooth(*shape)
    matrix = [[0.613, 0.207, -2.031], [0.0, 0.511, -1.037]]
    result = kernel(tf.constant(picture[None]), as_matrices(matrix), (5, 7), fill).numpy()[0]
    ours = np.round(by_scipy(picture, matrix, (5, 7), fill)) if fill != "wrap" else None
    if ours is not None:  # scipy gives no sense to a period of 0
        assert np.abs(result - ours).max() <= 2
    else:
        assert set(np.unique(result)) <= set(range(picture.min(), picture.max() + 1))


@pytest.mark.parametrize("keeps_rows", [False, True])
@pytest.mark.parametrize("shape", [(2400, 2400), (300, 9001), (9001, 30)])
def test_pictures_beyond_the_buffers(shape, keeps_rows):
    picture = np.repeat(np.linspace(0, 250, shape[0])[:, None], shape[1], axis=1)
    picture = np.repeat(np.round(picture)[..., None], 3, axis=-1).astype("uint8")
    size = (8, 16)
    # The whole picture, at a twentieth or so of its size.
    y, x = (source / target for source, target in zip(shape, size, strict=True))
    matrix = [[x, 0.0, x / 2 - 0.5], [0.0, y, y / 2 - 0.5]]
    result = warp_bytes(tf.constant(picture[None]), as_matrices(matrix), size, keeps_rows=keeps_rows).numpy()[0]
    expected = by_scipy(picture, matrix, size, "nearest")
    assert np.abs(result - expected).max() <= 2


def test_unknown_sizes_in_a_graph():
    traced = tf.function(
        lambda pictures, matrices: warp_bytes(pictures, matrices, (12, 10)),
        input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8), tf.TensorSpec((None, 2, 3), tf.float32)],
    )
    for count, height, width in ((1, 20, 31), (3, 40, 8)):
        pictures = noisy(count, height, width)
        matrices = as_matrices(*[MATRICES["shrink"]] * count)
        np.testing.assert_array_equal(traced(pictures, matrices), warp_bytes(tf.constant(pictures), matrices, (12, 10)))
