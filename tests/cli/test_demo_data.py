import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from unitools.cli.demo_data import open_data
from unitools.cli.demo_settings import DemoSettings
from unitools.cli.digits import write_digits
from unitools.cli.user_error import UserError
from unitools.data import PictureError, UnknownClassError


@pytest.fixture
def pictures(tmp_path):
    """Return a function that makes a folder of class folders."""

    def make(name, classes, count=5):
        for place, label in enumerate(classes):
            (tmp_path / name / label).mkdir(parents=True)
            for number in range(count):
                Image.new("RGB", (9, 8), (place, number, 0)).save(tmp_path / name / label / f"{number}.png")
        return tmp_path / name

    return make


def test_digits_are_scikit_learns_and_each_lies_in_one_part(tmp_path):
    parts = write_digits(tmp_path, seed=3)
    digits = load_digits()
    seen = []
    for part in parts:
        for file in sorted(part.glob("*/*.png")):
            index = int(file.stem)
            seen.append(index)
            assert int(file.parent.name) == digits.target[index]
            np.testing.assert_allclose(np.asarray(Image.open(file)) * (16 / 255), digits.images[index], atol=0.04)
    assert sorted(seen) == list(range(1797))
    for digit in range(10):
        held_out = len(list((parts[1] / str(digit)).iterdir()))
        assert held_out == pytest.approx(0.2 * (digits.target == digit).sum(), abs=1)


def test_the_seed_fixes_the_parts_and_a_second_run_replaces_the_first(tmp_path):
    def held_out(seed):
        return {file.name for file in write_digits(tmp_path, seed)[1].glob("*/*.png")}

    first = held_out(0)
    assert held_out(1) != first
    assert held_out(0) == first


def test_val_beside_train_is_taken(pictures):
    train, validation = open_data(DemoSettings(data=pictures("train", "ab"), seed=1))
    assert (len(train), len(validation)) == (8, 2), "a fifth, as there is no val"
    pictures("val", "b")
    train, validation = open_data(DemoSettings(data=train.path, seed=1))
    assert (len(train), len(validation)) == (10, 5)
    assert validation.labels.tolist() == [1] * 5, "labels are the training folder's"


def test_val_beside_another_name_is_not(pictures):
    pictures("val", "ab")
    assert len(open_data(DemoSettings(data=pictures("pictures", "ab")))[1]) == 2


def test_a_validation_folder_that_is_named_is_taken(pictures):
    settings = DemoSettings(data=pictures("train", "ab"), validation=pictures("other", "ab", 3))
    assert len(open_data(settings)[1]) == 6


@pytest.mark.parametrize(
    ("options", "size"), [({}, (96, 96, 3)), ({"image_size": 32}, (32, 32, 3)), ({"weights": "x"}, (288, 288, 3))]
)
def test_sizes(pictures, options, size):
    assert open_data(DemoSettings(data=pictures("train", "ab"), **options))[0][0]["images"].shape == size


def test_one_class_is_refused(pictures):
    with pytest.raises(UserError, match="one class folder, 'a'"):
        open_data(DemoSettings(data=pictures("train", "a")))


def test_a_class_that_train_lacks_is_named(pictures):
    pictures("val", "abc")
    with pytest.raises(UnknownClassError, match="'c'"):
        open_data(DemoSettings(data=pictures("train", "ab")))


def test_an_unreadable_picture_is_named_before_training(pictures):
    folder = pictures("train", "ab")
    (folder / "b" / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(PictureError, match=r"broken\.jpg"):
        open_data(DemoSettings(data=folder))
