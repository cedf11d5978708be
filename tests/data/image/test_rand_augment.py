import numpy as np
import pytest
import tensorflow as tf

from tests.data.image.painting import decoded_to, noisy, painted, seeds_for, smooth
from unitools.data.image import RandAugment, geometry, operations
from unitools.data.image.rand_augment import STRENGTHS
from unitools.data.image.warp_bytes import warp_bytes

# At magnitude 5 (half of the way), and the two directions where there are two.
AT_FIVE = {
    "solarize": [128.0],
    "posterize": [6.0],
    "brightness": [1.45, 0.55],
    "contrast": [1.45, 0.55],
    "color": [1.45, 0.55],
    "sharpness": [1.45, 0.55],
}
DEGREES = 15.0


def augmented(layer, pictures, first=0):
    return layer.augment({"images": tf.constant(pictures)}, seeds_for(len(pictures), first))["images"].numpy()


@pytest.mark.parametrize("name", AT_FIVE)
def test_an_operation_has_the_strength_of_the_magnitude_in_either_direction(name):
    pictures = np.stack([smooth(20, 24)] * 12)
    results = augmented(RandAugment(num_ops=1, magnitude=5, operations=(name,)), pictures)
    operation = getattr(operations, name)
    allowed = [operation(tf.constant(pictures[0]), tf.constant(strength)).numpy() for strength in AT_FIVE[name]]
    matches = [[np.abs(result.astype(int) - one).max() <= 1 for one in allowed] for result in results]
    assert np.all(np.any(matches, axis=1)) and np.all(np.any(matches, axis=0))


@pytest.mark.parametrize("name", ["autocontrast", "equalize"])
def test_operations_without_strength(name):
    pictures = noisy(2, 20, 24) // 2
    results = augmented(RandAugment(num_ops=1, operations=(name,)), pictures)
    expected = [getattr(operations, name)(tf.constant(picture)) for picture in pictures]
    np.testing.assert_allclose(results, expected, atol=1)


@pytest.mark.parametrize("name", ["rotate", "shear_x", "shear_y", "translate_x", "translate_y"])
def test_movements_are_one_resampling(name):
    layer = RandAugment(num_ops=1, magnitude=5, operations=(name,), fill=9.0)
    pictures = np.stack([smooth(20, 24)] * 8)
    still = dict.fromkeys(("rotate", "shear_x", "shear_y", "translate_x", "translate_y"), 0.0)
    amount = {"rotate": DEGREES, "shear_x": 0.15, "shear_y": 0.15}.get(name, 75 / 331)
    allowed = []
    for sign in (1, -1):
        amounts = {key: tf.constant([value]) for key, value in (still | {name: sign * amount}).items()}
        matrix = operations.movement(**amounts, size=(20, 24))
        allowed.append(warp_bytes(tf.constant(pictures[:1]), matrix, (20, 24), 9.0).numpy()[0])
    results = augmented(layer, pictures)
    matches = np.array([[np.array_equal(result, one) for one in allowed] for result in results])
    assert matches.any(axis=1).all() and matches.any(axis=0).all()


def test_operations_are_drawn_evenly_for_each_picture_and_step():
    layer = RandAugment(num_ops=2)
    picked, _ = layer._draw(seeds_for(7000))
    for step in range(2):
        counts = np.bincount(picked.numpy()[:, step], minlength=14)
        assert len(counts) == 14 and np.abs(counts - 500).max() < 110
    assert abs(np.mean(picked.numpy()[:, 0] == picked.numpy()[:, 1]) - 1 / 14) < 0.02


def test_magnitude_zero_leaves_all_but_autocontrast_and_equalize():
    names = tuple(name for name in STRENGTHS if name not in ("autocontrast", "equalize"))
    pictures = noisy(24, 12, 16)
    np.testing.assert_array_equal(augmented(RandAugment(magnitude=0, operations=names), pictures), pictures)


def test_steps_follow_each_other():
    layer = RandAugment(num_ops=2, magnitude=5, operations=("posterize", "equalize"))
    picture = smooth(20, 24)
    results = augmented(layer, np.stack([picture] * 16))

    def run(*names):
        image = tf.constant(picture)
        for name in names:
            image = operations.posterize(image, tf.constant(6.0)) if name == "p" else operations.equalize(image)
        return image.numpy()

    allowed = [run(*names) for names in ("pp", "pe", "ep", "ee")]
    matches = np.array([[np.array_equal(result, one) for one in allowed] for result in results])
    assert matches.any(axis=1).all() and matches.any(axis=0).all()


def test_neighbouring_movements_are_merged_and_the_whole_is_their_product():
    layer = RandAugment(num_ops=3, operations=("rotate", "shear_x", "posterize"))
    parameters = layer.sample(seeds_for(200), (20, 24))
    branches, _, movements = (part.numpy() for part in parameters["steps"])
    assert not ((branches[:, 1:] == 1) & (branches[:, :-1] == 1)).any()
    for k in range(200):
        square = np.eye(3)
        for step in range(3):
            if branches[k, step] == 1:
                square = square @ np.vstack([movements[k, step], [0, 0, 1]])
        np.testing.assert_allclose(parameters["matrices"][k], square[:2], atol=1e-3)


def test_masks_and_boxes_move_with_the_picture():
    box = (20, 10, 40, 30)
    batch = {
        "images": tf.constant(np.stack([painted(box)] * 12)),
        "masks": tf.constant(np.stack([painted(box)[..., 0] // 255 * 7] * 12)),
        "boxes": tf.constant([[box]] * 12, tf.float32),
    }
    layer = RandAugment(num_ops=3, magnitude=5, operations=("rotate", "shear_y", "translate_x", "posterize"), fill=0.0)
    outputs = {key: value.numpy() for key, value in layer.augment(batch, seeds_for(12)).items()}
    for picture, mask, (moved,) in zip(*(outputs[key] for key in ("images", "masks", "boxes")), strict=True):
        seen = picture[..., 0] > 110
        assert set(np.unique(mask)) <= {0, 7} and np.mean(seen != (mask == 7)) < 0.02
        ys, xs = np.nonzero(seen)
        if len(xs):
            held = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
            assert np.abs(moved - held).max() < 4


@pytest.mark.parametrize(("dtype", "value_range"), [("float32", (0, 255)), ("float32", (-1, 1)), ("int32", (0, 255))])
def test_other_dtypes_give_what_bytes_give(dtype, value_range):
    pictures = np.stack([smooth(20, 24)] * 10)
    low, high = value_range
    scaled = (pictures / 255.0 * (high - low) + low).astype(dtype)
    results = augmented(RandAugment(value_range=value_range), scaled)
    assert results.dtype == dtype
    expected = augmented(RandAugment(), pictures)
    back = (results - low) / (high - low) * 255
    # A level of difference before "equalize" or "autocontrast" is several after it.
    assert np.mean(np.abs(back - expected) > 2) < 0.02


def test_grey_pictures():
    assert augmented(RandAugment(num_ops=4), noisy(10, 12, 16, 1)).shape == (10, 12, 16, 1)


@pytest.mark.parametrize("num_ops", [0, 1, 2])
def test_decoding_to_a_size_is_resizing_then_augmenting(num_ops):
    layer = RandAugment(num_ops=num_ops, magnitude=5, operations=("rotate", "translate_y", "posterize", "brightness"))
    picture = tf.constant(smooth(60, 50))
    resized = warp_bytes(picture[None], geometry.resize((60, 50), (24, 32))[None], (24, 32))
    for seed in seeds_for(6):
        result = decoded_to(layer, picture, seed, (24, 32)).numpy().astype(int)
        expected = layer.augment({"images": resized}, seed[None])["images"].numpy()[0]
        assert result.shape == (24, 32, 3)
        # One interpolation instead of two; a posterized level is 4.
        assert np.mean(np.abs(result - expected)) < 6


def test_pictures_of_unknown_size_in_tf_data():
    layer = RandAugment()
    pictures = noisy(4, 20, 24)
    data = tf.data.Dataset.from_generator(
        lambda: iter([pictures]), output_signature=tf.TensorSpec((None, None, None, 3), tf.uint8)
    )
    result = next(iter(data.map(lambda images: layer.augment({"images": images}, seeds_for(4))["images"])))
    # Noise resampled in float32, not in bytes.
    assert np.abs(result.numpy().astype("int32") - augmented(layer, pictures)).max() <= 4


def test_other_channels_are_refused():
    with pytest.raises(ValueError, match=r"RandAugment.*Received images of shape \(2, 8, 8, 4\)"):
        augmented(RandAugment(), noisy(2, 8, 8, 4))
