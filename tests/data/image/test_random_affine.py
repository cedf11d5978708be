import numpy as np
import pytest
import tensorflow as tf

from tests.data.image.painting import decoded_to, noisy, painted, seeds_for, smooth
from unitools.data.image import RandomAffine, geometry

SIZE = (24, 32)
CENTRE = np.array([15.5, 11.5])


def matrices(count=500, **arguments):
    return RandomAffine(**arguments).sample_matrices(seeds_for(count), SIZE).numpy()


def spread(values, low, high):
    """Tell whether values lie in a range and reach close to its ends."""
    margin = (high - low) * 0.03
    inside = low - 1e-4 <= values.min() and values.max() <= high + 1e-4
    return inside and values.min() < low + margin and values.max() > high - margin


def test_nothing_by_default():
    np.testing.assert_allclose(matrices(4), [[[1, 0, 0], [0, 1, 0]]] * 4, atol=1e-5)


def test_rotation_is_a_turn_about_the_centre():
    drawn = matrices(rotation=(-20, 30))
    angles = np.degrees(np.arctan2(drawn[:, 1, 0], drawn[:, 0, 0]))
    assert spread(angles, -20, 30)
    for matrix, angle in zip(drawn[:5], np.radians(angles), strict=False):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        np.testing.assert_allclose(matrix, np.column_stack([turn, CENTRE - turn @ CENTRE]), atol=1e-4)


def test_shear_moves_columns_per_row():
    drawn = matrices(shear=0.3)
    assert spread(drawn[:, 0, 1], -0.3, 0.3)
    for matrix in drawn[:5]:
        shear = matrix[0, 1]
        np.testing.assert_allclose(matrix, [[1, shear, -shear * CENTRE[1]], [0, 1, 0]], atol=1e-4)


def test_zoom_is_drawn_for_each_axis():
    drawn = matrices(zoom=(0.5, 1.2))
    x, y = drawn[:, 0, 0], drawn[:, 1, 1]
    assert spread(x, 0.5, 1.2) and spread(y, 0.5, 1.2) and abs(np.corrcoef(x, y)[0, 1]) < 0.2
    np.testing.assert_allclose(drawn[:, 0, 2], CENTRE[0] * (1 - x), atol=1e-4)


def test_translation_is_a_share_of_each_side():
    drawn = matrices(translation=0.25)
    assert spread(drawn[:, 0, 2], -8, 8) and spread(drawn[:, 1, 2], -6, 6)
    np.testing.assert_allclose(drawn[:, :, :2], [np.eye(2)] * len(drawn), atol=1e-5)


def test_flips_hit_half_of_the_pictures_independently():
    drawn = matrices(2000, horizontal_flip=True, vertical_flip=True)
    mirrored, overturned = drawn[:, 0, 0] < 0, drawn[:, 1, 1] < 0
    for share, expected in ((mirrored.mean(), 0.5), (overturned.mean(), 0.5), ((mirrored & overturned).mean(), 0.25)):
        assert abs(share - expected) < 0.05
    assert (drawn[mirrored, 0, 2] == 31).all()


def test_all_together_is_the_product_of_the_parts():
    names = {"rotation": 20, "shear": 0.2, "zoom": 0.3, "translation": 0.1, "horizontal_flip": True}
    parts = {name: matrices(8, **{name: value}).astype("float64") for name, value in names.items()}
    together = matrices(8, **names)
    for k in range(8):
        square = {name: np.vstack([part[k], [0, 0, 1]]) for name, part in parts.items()}
        # From the result to the source: the flip is the nearest to the result.
        order = ("zoom", "shear", "rotation", "translation", "horizontal_flip")
        expected = np.linalg.multi_dot([square[name] for name in order])
        np.testing.assert_allclose(together[k], expected[:2], atol=1e-3)


def test_masks_keep_ids_and_dtype_and_move_with_the_picture():
    masks = np.zeros((6, 48, 64), "int32")
    masks[:, 10:30, 20:40] = 70000
    pictures = np.stack([painted((20, 10, 40, 30))] * 6)
    augment = RandomAffine(rotation=25, zoom=0.2, translation=0.1, fill=0.0)
    outputs = augment.augment({"images": tf.constant(pictures), "masks": tf.constant(masks)}, seeds_for(6))
    assert outputs["masks"].dtype == tf.int32 and outputs["masks"].shape == masks.shape
    assert set(np.unique(outputs["masks"])) == {0, 70000}
    seen = outputs["images"].numpy()[..., 0] > 127
    assert np.mean(seen != (outputs["masks"].numpy() > 0)) < 0.01


def test_masks_beyond_the_edge_are_background_where_pictures_take_a_value():
    augment = RandomAffine(translation=(0.5, 0.5), fill=99.0)
    batch = {"images": tf.zeros((1, 8, 8, 3), tf.uint8), "masks": tf.ones((1, 8, 8, 1), tf.uint8)}
    outputs = augment.augment(batch, seeds_for(1))
    assert outputs["masks"].numpy()[0, :4, :4].all() and not outputs["masks"].numpy()[0, 4:].any()
    assert (outputs["images"].numpy()[0, 4:] == 99).all()


@pytest.mark.parametrize("fill", ["nearest", "reflect", 12.0])
@pytest.mark.parametrize("source", [(60, 45), (20, 90)])
def test_decoding_to_a_size_is_resizing_then_moving(source, fill):
    picture = tf.constant(smooth(*source))
    augment = RandomAffine(rotation=20, zoom=0.2, translation=0.1, horizontal_flip=True, fill=fill)
    seeds = seeds_for(1)
    result = decoded_to(augment, picture, seeds[0], (24, 32)).numpy().astype("float32")
    resized = tf.image.resize(picture[None], (24, 32))
    expected = augment.augment({"images": resized}, seeds)["images"].numpy()[0]
    # The second way interpolates twice, and blurs; at the edge of a fill they differ by a pixel.
    assert result.shape == (24, 32, 3)
    assert np.quantile(np.abs(result - expected), 0.9) < 12 and np.mean(np.abs(result - expected)) < 6


class _Tilted(RandomAffine):
    def sample_matrices(self, seeds, size):
        tilt = tf.constant([[1.0, -0.2, 0.0], [0.2, 1.0, 0.0]])
        return geometry.compose(super().sample_matrices(seeds, size), tilt[None])


def test_rows_are_kept_without_rotation_only():
    assert RandomAffine(shear=0.2, zoom=0.2, horizontal_flip=True, vertical_flip=True).keeps_rows
    assert not RandomAffine(rotation=(0, 1)).keeps_rows
    # A subclass may turn what its base does not.
    assert not _Tilted(shear=0.2).keeps_rows
    seeds = seeds_for(8)
    assert not RandomAffine(shear=0.2, zoom=0.2).sample_matrices(seeds, (30, 40)).numpy()[:, 1, 0].any()


def test_other_channels_are_decoded_too():
    picture = tf.constant(smooth(30, 40, 1))
    assert decoded_to(RandomAffine(rotation=5), picture, seeds_for(1)[0], (24, 32)).shape == (24, 32, 1)


def test_bytes_and_floats_agree():
    pictures = np.stack([smooth(*SIZE)] * 4)
    augment = RandomAffine(rotation=20, shear=0.1, zoom=0.2)
    exact, coarse = (
        augment.augment({"images": tf.cast(pictures, dtype)}, seeds_for(4))["images"].numpy().astype("float32")
        for dtype in (tf.float32, tf.uint8)
    )
    assert np.abs(exact - coarse).max() <= 1.5


def test_a_seed_fixes_the_calls():
    pictures = tf.constant(noisy(2, 16, 16))
    first, second, other = (RandomAffine(rotation=90, seed=seed) for seed in (1, 1, 2))
    results = [layer(pictures, training=True).numpy() for layer in (first, second, other)]
    np.testing.assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


def test_pictures_of_unknown_size_in_tf_data():
    pictures = np.stack([smooth(*SIZE)] * 3)
    augment = RandomAffine(rotation=20)
    data = tf.data.Dataset.from_generator(
        lambda: iter([pictures]), output_signature=tf.TensorSpec((None, None, None, 3), tf.uint8)
    )
    result = next(iter(data.map(lambda images: augment.augment({"images": images}, seeds_for(3))["images"])))
    expected = augment.augment({"images": tf.constant(pictures)}, seeds_for(3))["images"]
    assert np.abs(result.numpy().astype("int32") - expected.numpy()).max() <= 1
