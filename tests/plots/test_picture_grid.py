import numpy as np
import pytest

import unitools as ut

RANDOM = np.random.default_rng(0)


def pixels(figure, place):
    return np.asarray(figure.axes[place].images[0].get_array())


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4)])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_pixels_are_shown_as_they_are(shape, dtype):
    image = RANDOM.integers(0, 256, shape).astype(dtype)
    np.testing.assert_array_equal(pixels(ut.plots.picture_grid([image]), 0), image)


def test_one_channel_is_grey_from_black_to_white():
    image = np.full((4, 4, 1), 128.0)
    shown = ut.plots.picture_grid([image]).axes[0].images[0]
    assert shown.get_array().shape == (4, 4)
    assert shown.get_clim() == (0, 255)
    assert shown.cmap(shown.norm(128))[:3] == pytest.approx([128 / 255] * 3, abs=0.01)


def test_values_are_rounded_and_clipped():
    assert pixels(ut.plots.picture_grid([np.array([[-3.0, 0.6], [254.7, 300.0]])]), 0).tolist() == [[0, 1], [255, 255]]


def test_pictures_fill_rows_in_order(tmp_path):
    images = [np.full((4, 4 + place, 3), place) for place in range(5)]
    figure = ut.plots.picture_grid(images, ["$1_", "b", "c", "d", "e"], columns=3)
    assert [axes.get_subplotspec().rowspan.start for axes in figure.axes] == [0, 0, 0, 1, 1]
    assert [int(pixels(figure, place)[0, 0, 0]) for place in range(5)] == [0, 1, 2, 3, 4]
    figure.savefig(tmp_path / "grid.png")
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        ([], {}, "one picture or more"),
        ([np.zeros((4, 4))], {"titles": []}, "titles"),
        ([np.zeros((4, 4))], {"columns": 0}, "columns=0"),
        ([np.zeros((4, 4, 2))], {}, r"\(4, 4, 2\)"),
    ],
)
def test_bad_values_are_named(images, options, message):
    with pytest.raises(ValueError, match=message):
        ut.plots.picture_grid(images, **options)
