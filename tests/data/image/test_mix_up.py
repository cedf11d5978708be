import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tests.data.image.painting import noisy, seeds_for
from unitools.data.image import MixUp


def mixed(batch, first=0, **arguments):
    batch = {key: tf.constant(value) for key, value in batch.items()}
    return MixUp(**arguments).augment(batch, seeds_for(len(batch["images"]), first))


def test_labels_say_how_pictures_were_mixed():
    pictures = noisy(6, 5, 5).astype("float32")
    outputs = mixed({"images": pictures, "labels": np.eye(6, dtype="float32")}, alpha=1.0)
    # With one class an example, the labels are the weights of the examples.
    weights = outputs["labels"].numpy()
    np.testing.assert_allclose(outputs["images"], np.einsum("ij,jhwc->ihwc", weights, pictures), atol=1e-3)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    assert ((weights > 0).sum(axis=1) == 2).all() and (np.diagonal(weights) > 0).all()


def test_every_example_is_the_partner_of_one_other():
    partners = MixUp().sample(seeds_for(50), (4, 4))["partners"].numpy()
    assert sorted(partners) == list(range(50)) and (partners != np.arange(50)).all()
    others = MixUp().sample(seeds_for(50, 50), (4, 4))["partners"].numpy()
    assert np.mean(partners == others) < 0.2


def test_shares_have_the_beta_distribution():
    shares = MixUp(alpha=0.4).sample(seeds_for(5000), (4, 4))["shares"].numpy()
    assert stats.kstest(shares, stats.beta(0.4, 0.4).cdf).statistic < 0.03


def test_the_rate_is_the_share_of_mixed_examples():
    shares = MixUp(alpha=1.0, rate=0.3).sample(seeds_for(3000), (4, 4))["shares"].numpy()
    assert abs(np.mean(shares < 1) - 0.3) < 0.04


def test_bytes_are_rounded_and_dtypes_kept():
    pictures = noisy(4, 6, 6)
    labels = np.eye(4, dtype="float16")
    outputs = mixed({"images": pictures, "labels": labels}, alpha=1.0)
    exact = mixed({"images": pictures.astype("float32"), "labels": labels}, alpha=1.0)
    assert (outputs["images"].dtype, outputs["labels"].dtype) == (tf.uint8, tf.float16)
    np.testing.assert_array_equal(outputs["images"], np.round(exact["images"]))


def test_labels_of_two_classes():
    labels = np.array([[0.0], [1.0]], "float32")
    shares = MixUp(alpha=1.0).sample(seeds_for(2), (4, 4))["shares"].numpy()
    outputs = mixed({"images": noisy(2, 4, 4), "labels": labels}, alpha=1.0)
    np.testing.assert_allclose(outputs["labels"][:, 0], [1 - shares[0], shares[1]], atol=1e-6)


def test_a_batch_of_one_is_left():
    pictures = noisy(1, 4, 4)
    outputs = mixed({"images": pictures, "labels": np.ones((1, 2), "float32")}, alpha=1.0)
    np.testing.assert_array_equal(outputs["images"], pictures)


@pytest.mark.parametrize(
    ("extra", "error", "message"),
    [
        ({"labels": np.array([0, 1])}, TypeError, "Received dtype int64. Use class_mode"),
        ({}, ValueError, r"Received a batch with the keys \['images'\], without 'labels'"),
        (
            {"labels": np.eye(2, dtype="float32"), "boxes": np.zeros((2, 1, 4), "float32")},
            ValueError,
            "does not mix boxes",
        ),
        (
            {"labels": np.eye(2, dtype="float32"), "masks": np.zeros((2, 4, 4), "uint8")},
            ValueError,
            "does not mix masks",
        ),
    ],
)
def test_what_cannot_be_mixed_is_refused(extra, error, message):
    with pytest.raises(error, match=message):
        mixed({"images": noisy(2, 4, 4)} | extra)
