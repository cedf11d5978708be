import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tests.data.image.painting import noisy, seeds_for
from unitools.data.image import CutMix

SIZE = (40, 60)


def constant_pictures(count):
    """Return pictures whose pixels hold the number of their example."""
    return np.broadcast_to(np.arange(count, dtype="uint8")[:, None, None, None], (count, *SIZE, 3)).copy()


def test_labels_are_the_shares_of_the_area():
    labels = np.eye(8, dtype="float32")
    batch = {"images": tf.constant(constant_pictures(8)), "labels": tf.constant(labels)}
    outputs = CutMix().augment(batch, seeds_for(8))
    pictures = outputs["images"].numpy()[..., 0].reshape(8, -1)
    counted = np.stack([np.bincount(picture, minlength=8) for picture in pictures]) / pictures.shape[1]
    np.testing.assert_allclose(outputs["labels"], counted, atol=1e-5)
    assert ((counted > 0).sum(axis=1) <= 2).all() and np.mean((counted > 0).sum(axis=1) == 2) > 0.5


def test_what_is_pasted_is_a_rectangle_from_the_same_place():
    pictures = noisy(6, *SIZE)
    layer = CutMix()
    parameters = layer.sample(seeds_for(6), SIZE)
    partners = parameters["partners"].numpy()
    batch = {"images": tf.constant(pictures), "labels": tf.eye(6)}
    results = layer.augment(batch, seeds_for(6))["images"].numpy()
    for k, (top, left, bottom, right) in enumerate(parameters["rectangles"].numpy()):
        expected = pictures[k].copy()
        expected[top:bottom, left:right] = pictures[partners[k], top:bottom, left:right]
        np.testing.assert_array_equal(results[k], expected)


def test_rectangles_have_the_area_and_aspect_of_the_paper():
    parameters = CutMix(alpha=1.0).sample(seeds_for(4000), (400, 600))
    top, left, bottom, right = parameters["rectangles"].numpy().astype("float64").T
    whole = (top > 0) & (left > 0) & (bottom < 400) & (right < 600)
    aspect = (bottom - top)[whole] / (right - left)[whole]
    large = (bottom - top)[whole] > 40
    np.testing.assert_allclose(aspect[large], 400 / 600, atol=0.03)
    # Centres are even; their halves of the sides are cut off where they leave the picture.
    assert abs(np.mean((top + bottom) / 2) - 200) < 10 and abs(np.mean((left + right) / 2) - 300) < 15
    # Independent draws by the paper's algorithm 1.
    generator = np.random.default_rng(0)
    share, y, x = generator.random((3, 4000))
    half_y, half_x = np.sqrt(1 - share) * 200, np.sqrt(1 - share) * 300
    sides = [
        np.clip(centre * length + half, 0, length) - np.clip(centre * length - half, 0, length)
        for centre, half, length in ((y, half_y, 400), (x, half_x, 600))
    ]
    assert stats.ks_2samp(1 - sides[0] * sides[1] / 240000, parameters["shares"].numpy()).statistic < 0.045


def test_masks_are_pasted_as_pictures_are():
    pictures = constant_pictures(5)
    batch = {"images": tf.constant(pictures), "masks": tf.constant(pictures[..., 0].astype("int64"))}
    outputs = CutMix().augment(batch, seeds_for(5))
    assert outputs["masks"].dtype == tf.int64
    np.testing.assert_array_equal(outputs["masks"], outputs["images"][..., 0])
    assert np.any(outputs["masks"] != batch["masks"])


def test_the_rate_is_the_share_of_mixed_examples():
    top, _, bottom, _ = CutMix(rate=0.25).sample(seeds_for(3000), SIZE)["rectangles"].numpy().T
    assert abs(np.mean(bottom > top) - 0.25) < 0.04


@pytest.mark.parametrize(
    ("extra", "error", "message"),
    [
        ({"labels": np.array([0, 1])}, TypeError, "Received dtype int64. Use class_mode"),
        ({}, ValueError, "without 'labels' or 'masks'"),
        ({"labels": np.eye(2, dtype="float32"), "boxes": np.zeros((2, 1, 4), "float32")}, ValueError, "mix boxes"),
    ],
)
def test_what_cannot_be_mixed_is_refused(extra, error, message):
    batch = {"images": noisy(2, 4, 4)} | extra
    with pytest.raises(error, match=message):
        CutMix().augment({key: tf.constant(value) for key, value in batch.items()}, seeds_for(2))
