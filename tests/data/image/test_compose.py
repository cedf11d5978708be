import numpy as np
import pytest
import tensorflow as tf

from tests.data.image.painting import decoded_to, noisy, seeds_for, smooth
from unitools.core.layers import fold_in
from unitools.data.image import Compose, MixUp, RandAugment, RandomAffine, RandomColor, RandomErasing

AFFINE = {"rotation": 20, "zoom": 0.1, "horizontal_flip": True}


def batch_of(pictures):
    return {"images": tf.constant(pictures), "labels": tf.eye(len(pictures))}


def test_members_run_in_order_with_seeds_of_their_own():
    affine, color, mix = RandomAffine(**AFFINE), RandomColor(brightness=0.3), MixUp(alpha=1.0)
    batch, seeds = batch_of(noisy(4, 12, 16)), seeds_for(4)
    outputs = Compose([affine, color, mix]).augment(batch, seeds)
    expected = batch
    for position, member in enumerate((affine, color, mix)):
        expected = member.augment(expected, fold_in(seeds, position))
    for key in ("images", "labels"):
        np.testing.assert_array_equal(outputs[key], expected[key])


def test_equal_members_draw_differently():
    double = Compose([RandomErasing(rate=1, area=(0.1, 0.1), fill=0)] * 2)
    images = tf.ones((20, 30, 30, 1))
    left = tf.reduce_mean(double.augment({"images": images}, seeds_for(20))["images"], axis=(1, 2, 3)).numpy()
    assert np.mean(left < 0.87) > 0.3  # one rectangle alone leaves 0.9


@pytest.mark.parametrize("first", [RandomAffine(**AFFINE), RandAugment(num_ops=1, operations=("rotate", "color"))])
def test_the_entry_and_the_rest_use_the_seeds_of_the_whole(first):
    whole = Compose([first, RandomColor(brightness=0.3), RandomErasing(rate=1, fill=0)])
    picture = tf.constant(smooth(24, 32))
    seeds = seeds_for(3)
    expected = whole.augment({"images": tf.stack([picture] * 3)}, seeds)["images"].numpy()
    decoded = tf.stack([decoded_to(whole.entry(), picture, seed, (24, 32)) for seed in seeds])
    results = whole.after_entry().augment({"images": decoded}, seeds)["images"].numpy()
    # The picture has its target size: only rounding differs.
    assert np.abs(results.astype("int32") - expected).max() <= 3


def test_no_entry_where_the_first_member_has_none():
    whole = Compose([RandomColor(brightness=0.3), RandomAffine(**AFFINE)])
    assert whole.entry() is None and whole.after_entry() is whole


def test_nothing_is_left_after_an_entry_alone():
    assert Compose([RandomAffine(**AFFINE)]).after_entry() is None


def test_members_within_members():
    inner = Compose([RandomAffine(**AFFINE), RandomColor(brightness=0.3)])
    whole = Compose([inner, RandomErasing(rate=1, fill=0)])
    picture, seeds = tf.constant(smooth(24, 32)), seeds_for(1)
    decoded = decoded_to(whole.entry(), picture, seeds[0], (24, 32))[None]
    result = whole.after_entry().augment({"images": decoded}, seeds)["images"].numpy()
    expected = whole.augment({"images": picture[None]}, seeds)["images"].numpy()
    assert np.abs(result.astype("int32") - expected).max() <= 3


def test_a_layer_that_is_no_augmenter_is_refused():
    with pytest.raises(TypeError, match=r"`augmenters` must hold .*Received \[<Rescaling"):
        Compose([tf.keras.layers.Rescaling(1 / 255)])
