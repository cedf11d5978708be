"""Reading class folders: listing, splits, batches."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from unitools.data import ImageFolder, UnknownClassError, picture_cache

from .conftest import photo


def _folder(root, **options):
    return ImageFolder(root, **({"image_size": (24, 32)} | options))


def _pictures(batches):
    return np.concatenate([images.numpy() for images, _ in batches])


def test_lists_files_by_class(class_folders):
    folder = _folder(class_folders)
    assert len(folder) == 8 and folder.num_classes == 2 and folder.class_names == ("one", "two")
    assert folder.class_counts == {"one": 4, "two": 4}
    assert [file.rsplit("/", 2)[1] for file in folder.files] == ["one"] * 4 + ["two"] * 4
    assert folder.labels.tolist() == [0] * 4 + [1] * 4
    assert _folder(class_folders, class_names=["two", "one"]).labels.tolist() == [0] * 4 + [1] * 4


def test_random_access_gives_the_picture(class_folders):
    folder = _folder(class_folders)
    expected = np.asarray(Image.open(folder.files[5]).convert("RGB"), np.float32)
    np.testing.assert_allclose(folder[5]["images"], expected, atol=1)
    np.testing.assert_array_equal(folder[-3]["images"], folder[5]["images"])
    assert folder[5]["labels"] == 1 and folder[5]["images"].dtype == np.float32
    with pytest.raises(IndexError, match="index=8"):
        folder[8]


def test_resize_is_plain_bilinear(class_folders):
    folder = _folder(class_folders, image_size=(10, 14))
    pixels = np.asarray(Image.open(folder.files[0]).convert("RGB"), np.float64)

    def sample(size, target):  # half-pixel centres, edges held
        place = np.clip((np.arange(target) + 0.5) * size / target - 0.5, 0, size - 1)
        low = np.minimum(place.astype(int), size - 2)
        return low, place - low

    (row, y), (column, x) = sample(24, 10), sample(32, 14)
    y, x = y[:, None, None], x[None, :, None]
    top = pixels[row][:, column] * (1 - x) + pixels[row][:, column + 1] * x
    bottom = pixels[row + 1][:, column] * (1 - x) + pixels[row + 1][:, column + 1] * x
    np.testing.assert_allclose(folder[0]["images"], top * (1 - y) + bottom * y, atol=1)


def test_batches_give_the_pictures_of_the_files(class_folders):
    folder = _folder(class_folders)
    images = _pictures(folder.batches(3, shuffle=False))
    np.testing.assert_array_equal(images, np.stack([folder[index]["images"] for index in range(8)]))
    assert images.dtype == np.float32 and images.max() > 1
    np.testing.assert_allclose(_pictures(folder.batches(3, shuffle=False, rescale=1 / 255)), images / 255, rtol=1e-6)


@pytest.mark.parametrize(
    ("class_mode", "expected"),
    [("categorical", np.eye(2)[[0] * 4 + [1] * 4]), ("sparse", [0] * 4 + [1] * 4), ("binary", [[0]] * 4 + [[1]] * 4)],
)
def test_class_modes(class_folders, class_mode, expected):
    _, labels = next(iter(_folder(class_folders).batches(8, shuffle=False, class_mode=class_mode)))
    np.testing.assert_array_equal(labels.numpy(), expected)
    assert labels.dtype == (tf.int32 if class_mode == "sparse" else tf.float32)


def test_without_labels(class_folders):
    images = next(iter(_folder(class_folders).batches(8, class_mode=None)))
    assert images.shape == (8, 24, 32, 3)


def test_labels_travel_with_shuffled_pictures(class_folders):
    folder = _folder(class_folders)
    for images, labels in folder.batches(3, seed=1, class_mode="sparse"):
        for image, label in zip(images.numpy(), labels.numpy(), strict=True):
            matches = [index for index in range(8) if np.array_equal(folder[index]["images"], image)]
            assert [folder.labels[index] for index in matches] == [label]


@pytest.mark.parametrize("fraction", [0.2, 0.25, 0.9])
def test_split_is_stratified_disjoint_and_repeatable(shared_data, fraction):
    folder = ImageFolder(shared_data("flower_photos") / "train")
    first, second = folder.split(fraction, 7)
    assert set(first.files) | set(second.files) == set(folder.files)
    assert not set(first.files) & set(second.files)
    assert set(second.class_counts.values()) == {round(fraction * 240)}
    assert folder.split(fraction, 7)[1].files == second.files != folder.split(fraction, 8)[1].files
    labels = dict(zip(folder.files, folder.labels, strict=True))
    assert [labels[file] for file in second.files] == second.labels.tolist()


def test_split_represents_every_class_or_says_why_not(class_folders):
    first, second = _folder(class_folders).split(0.01, 1)
    assert second.class_counts == {"one": 1, "two": 1} and first.class_counts == {"one": 3, "two": 3}
    first, second = _folder(class_folders).split(0.25, 1, stratify=False)
    assert (len(first), len(second)) == (6, 2)
    (class_folders / "three").mkdir()
    Image.fromarray(photo()).save(class_folders / "three" / "only.png")
    with pytest.raises(ValueError, match="Class 'three' has 1"):
        _folder(class_folders).split(0.5, 1)
    for fraction in (0, 1, 1.5, "half"):
        with pytest.raises(ValueError, match="fraction="):
            _folder(class_folders).split(fraction, 1)


def test_classes_that_train_lacks_are_named(class_folders):
    (class_folders / "three").mkdir()
    with pytest.raises(UnknownClassError, match=r"lacks \['three'\]"):
        _folder(class_folders, class_names=["one", "two"])


def test_one_class_only(tmp_path):
    (tmp_path / "all").mkdir()
    Image.fromarray(photo()).save(tmp_path / "all" / "p.png")
    folder = _folder(tmp_path)
    assert next(iter(folder.batches(1, class_mode=None))).shape == (1, 24, 32, 3)
    with pytest.raises(ValueError, match="one class only"):
        folder.batches(1)


def test_no_class_folders(tmp_path):
    Image.fromarray(photo()).save(tmp_path / "p.png")
    with pytest.raises(ValueError, match="It holds pictures, but no folders"):
        _folder(tmp_path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        _folder(tmp_path / "gone")
    with pytest.raises(NotADirectoryError, match="is a file"):
        _folder(tmp_path / "p.png")


def test_links_to_folders_are_followed_once(class_folders, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    Image.fromarray(photo()).save(elsewhere / "p.png")
    (elsewhere / "loop").symlink_to(elsewhere)
    (class_folders / "three").symlink_to(elsewhere)
    assert _folder(class_folders).class_counts["three"] == 1
    assert _folder(class_folders, follow_links=False).class_names == ("one", "two")


def test_folders_within_class_folders_are_read(class_folders):
    (class_folders / "one" / "more").mkdir()
    Image.fromarray(photo()).save(class_folders / "one" / "more" / "p.png")
    assert _folder(class_folders).class_counts == {"one": 5, "two": 4}


class _Entry:
    """Gives the picture's upper left corner, plus the example's seed."""

    def draw(self, seeds, image_size):
        return tf.cast(seeds[:, 1], tf.float32)

    def decode_to(self, image, drawn, image_size, scale=None):
        return tf.cast(image[: image_size[0], : image_size[1]], tf.float32) + drawn


class _Augmenter:
    """Stands for an augmenter of two stages."""

    def __init__(self, entry, rest=None):
        self._entry, self._rest = entry, rest

    def entry(self):
        return self._entry

    def after_entry(self):
        return self._rest

    def augment(self, batch, seeds):
        added = tf.cast(seeds[:, 1], tf.float32)[:, None, None, None]
        images = tf.cast(batch["images"], tf.float32)[:, : self._height(batch)] + added
        return batch | {"images": images, "labels": batch["labels"] * 2}

    def _height(self, batch):
        return batch["images"].shape[1]


def test_entry_takes_the_decoded_picture_and_the_rest_the_batch(class_folders):
    folder, plain = _folder(class_folders, image_size=(8, 8)), _folder(class_folders)
    corners = np.stack([plain[index]["images"][:8, :8] for index in range(8)])
    index = np.arange(8.0)[:, None, None, None]
    images, labels = next(iter(folder.batches(8, shuffle=False, augment=_Augmenter(_Entry()))))
    np.testing.assert_array_equal(images.numpy(), corners + index)
    assert labels.numpy().max() == 1
    both = _Augmenter(_Entry(), _Augmenter(None))
    images, labels = next(iter(folder.batches(8, shuffle=False, augment=both)))
    np.testing.assert_array_equal(images.numpy(), corners + 2 * index)
    assert labels.numpy().max() == 2


def test_augmentation_resumes_exactly(class_folders):
    def make():
        return _folder(class_folders).batches(3, seed=5, augment=_Augmenter(None))

    whole, resumed = make(), make()
    expected = [images.numpy() for _ in range(2) for images, _ in whole]
    resumed.load_state_dict({"epoch": 1, "step": 1})
    for image, (drawn, _) in zip(expected[4:], resumed, strict=True):
        np.testing.assert_array_equal(image, drawn.numpy())


def test_layers_and_functions_as_augmenters(class_folders):
    folder = _folder(class_folders)
    plain = _pictures(folder.batches(8, shuffle=False))
    flipped = _pictures(folder.batches(8, shuffle=False, augment=lambda images: images[:, :, ::-1]))
    np.testing.assert_array_equal(flipped, plain[:, :, ::-1])
    layer = keras.layers.Dropout(0.5, seed=1)  # the identity unless training=True
    assert np.abs(_pictures(folder.batches(8, shuffle=False, augment=layer)) - plain).mean() > 1


def test_cache_gives_the_same_pictures_and_reads_no_file_again(class_folders, capsys):
    folder = _folder(class_folders, image_size=(12, 16))
    plain = folder.batches(3, seed=2)
    cached = folder.batches(3, seed=2, cache=True)
    assert "Keeping 8 decoded pictures of 12 x 16" in capsys.readouterr().out
    expected = [images.numpy() for images, _ in plain]
    for file in folder.files:
        with open(file, "wb"):
            pass
    for images, (kept, _) in zip(expected, cached, strict=True):
        np.testing.assert_allclose(kept.numpy(), images, atol=0.5)


def test_cached_pictures_are_augmented_by_batch(class_folders):
    folder = _folder(class_folders)
    images, _ = next(iter(folder.batches(8, shuffle=False, augment=_Augmenter(_Entry()), cache=True)))
    expected = np.stack([folder[index]["images"] + index for index in range(8)])
    np.testing.assert_allclose(images.numpy(), expected, atol=0.5)


def test_cache_that_does_not_fit_is_refused(class_folders, monkeypatch):
    monkeypatch.setattr(picture_cache, "free_memory", lambda: 20_000)
    with pytest.raises(MemoryError, match="Use cache=False"):
        _folder(class_folders).batches(3, cache=True)


def test_same_bytes_with_same_seed(shared_data):
    folder = ImageFolder(shared_data("flower_photos") / "val", image_size=(32, 32))
    first, second = (_pictures(folder.batches(32, seed=9)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_fit_takes_the_batches(class_folders):
    batches = _folder(class_folders).batches(4, seed=1, rescale=1 / 255)
    layers = [keras.Input((24, 32, 3)), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")]
    model = keras.Sequential(layers)
    model.compile("sgd", "categorical_crossentropy")
    validation = _folder(class_folders).batches(4, shuffle=False)
    model.fit(batches, validation_data=validation, epochs=2, verbose=0, shuffle=False)
    assert batches.state_dict() == {"epoch": 2, "step": 0}


@pytest.mark.parametrize(
    "options",
    [{"image_size": 224}, {"image_size": (0, 5)}, {"color_mode": "cmyk"}, {"check": 1}, {"on_error": "ignore"}],
)
def test_bad_arguments_are_named(class_folders, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        _folder(class_folders, **options)


@pytest.mark.parametrize(
    "options", [{"class_mode": "one-hot"}, {"rescale": 0}, {"augment": 3}, {"cache": 1}, {"drop_remainder": None}]
)
def test_bad_arguments_of_batches_are_named(class_folders, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        _folder(class_folders).batches(2, **options)
