"""Flows against those of the class that Keras 3 removed: files, classes, subsets, pixels, labels."""

import itertools

import keras
import numpy as np
import pandas
import pytest
from keras.src.legacy.preprocessing.image import ImageDataGenerator as OldGenerator
from PIL import Image

from unitools.data import ImageDataGenerator, PictureError

# The old class reaches scipy by a name that scipy is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:Please import `affine_transform`:DeprecationWarning")

BOTH = (ImageDataGenerator, OldGenerator)
ATTRIBUTES = ("class_indices", "samples", "filenames", "image_shape", "num_classes", "batch_size", "class_mode", "n")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Return a directory with three classes, uneven, one with a folder inside, and files that are no pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(1)
    names = {"b cat": ["10.png", "9.png", "a.PNG", "inner/z.png", "inner/a.bmp"], "a dog": ["x.png", "y.png", "w.png"]}
    names["c é"] = [f"{number}.png" for number in range(7)]
    for name, files in names.items():
        (folder / name / "inner").mkdir(parents=True)
        (folder / name / "notes.txt").write_text("no picture")
        for file in files:
            # Odd sizes, so that no pixel of the result lies between two of the file, where either is the nearest.
            pixels = random.integers(0, 256, (2 * int(random.integers(4, 10)) + 1, 17, 3), np.uint8)
            Image.fromarray(pixels).save(folder / name / file)
    return folder


def flows(root, arguments=None, **options):
    options = {"target_size": (11, 13), "shuffle": False, "batch_size": 4} | options
    return [cls(**arguments or {}).flow_from_directory(root, **options) for cls in BOTH]


def assert_same_batches(ours, theirs, atol=1e-4):
    assert len(ours) == len(theirs)
    for index in range(len(theirs)):
        for left, right in zip(keras.tree.flatten(ours[index]), keras.tree.flatten(theirs[index]), strict=True):
            assert left.dtype == right.dtype
            np.testing.assert_allclose(left, right, atol=atol, rtol=1e-4)


@pytest.mark.parametrize("class_mode", ["categorical", "sparse", "input", None])
def test_directory_equals_the_old_class(root, class_mode):
    ours, theirs = flows(root, {"rescale": 1 / 255}, class_mode=class_mode)
    for name in ATTRIBUTES:
        assert getattr(ours, name) == getattr(theirs, name), name
    np.testing.assert_array_equal(ours.classes, theirs.classes)
    np.testing.assert_array_equal(ours.labels, theirs.labels)
    assert [str(path) for path in ours.filepaths] == [str(path) for path in theirs.filepaths]
    assert_same_batches(ours, theirs)


def test_chosen_classes_and_binary_labels(root):
    assert_same_batches(*flows(root, classes=["c é", "a dog"], class_mode="binary"))
    with pytest.raises(ValueError, match="class_mode"):
        ImageDataGenerator().flow_from_directory(root, class_mode="binary")


@pytest.mark.parametrize("subset", ["training", "validation"])
def test_subsets_hold_the_same_files(root, subset):
    ours, theirs = flows(root, {"validation_split": 0.4}, subset=subset)
    assert ours.filenames == theirs.filenames
    assert_same_batches(ours, theirs)


@pytest.mark.parametrize("color_mode", ["grayscale", "rgba"])
def test_color_modes(root, color_mode):
    ours, theirs = flows(root, color_mode=color_mode)
    assert ours.image_shape == theirs.image_shape
    assert_same_batches(ours, theirs)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("keep_aspect_ratio", [False, True])
def test_interpolations(root, interpolation, keep_aspect_ratio):
    ours, theirs = flows(root, interpolation=interpolation, keep_aspect_ratio=keep_aspect_ratio)
    # On noise, where a picture off by one pixel differs by 85: Pillow rounds and cuts to bytes after each axis, looks
    # beyond the edge of what it crops, and takes the other one of two pixels that are equally near.
    for index in range(len(theirs)):
        assert ours[index][0].shape == theirs[index][0].shape
        assert np.mean(np.abs(ours[index][0] - theirs[index][0])) < 5


def test_channels_first(root):
    ours, theirs = flows(root, {"data_format": "channels_first"})
    assert ours.image_shape == theirs.image_shape == (3, 11, 13)
    assert_same_batches(ours, theirs)


def test_normalisations_run_in_the_old_order(root):
    arguments = {
        "preprocessing_function": lambda x: x[::-1] * 0.5,
        "rescale": 0.1,
        "samplewise_center": True,
        "samplewise_std_normalization": True,
        "featurewise_center": True,
        "featurewise_std_normalization": True,
    }
    found = []
    for cls in BOTH:
        generator = cls(**arguments)
        generator.fit(np.random.default_rng(0).uniform(0, 255, (9, 11, 13, 3)))
        found.append(generator.flow_from_directory(root, target_size=(11, 13), shuffle=False))
    assert_same_batches(*found)


def test_whitening_in_the_flow():
    x = np.random.default_rng(0).uniform(0, 1, (20, 4, 4, 1)).astype("float32")
    found = []
    for cls in BOTH:
        generator = cls(featurewise_center=True, zca_whitening=True, zca_epsilon=1e-2)
        generator.fit(x)
        found.append(generator.flow(x, shuffle=False, batch_size=8))
    assert_same_batches(*found, atol=1e-3)


@pytest.mark.parametrize(
    "ranges",
    [
        {"rotation_range": 40, "zoom_range": 0.3, "shear_range": 20.0, "fill_mode": "reflect"},
        {"width_shift_range": [3], "height_shift_range": 0.3, "fill_mode": "constant", "cval": 9.0},
        {"horizontal_flip": True, "vertical_flip": True, "zoom_range": (0.5, 0.6), "interpolation_order": 0},
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_flows_move_as_apply_transform_does(ranges, dtype):
    """Find the parameters that a flow drew from the picture of coordinates that it returns."""
    size = 24
    y, x = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    pictures = np.repeat(np.stack([y, x, np.full_like(x, 5)], -1)[None] * 10, 6, 0).astype(dtype)
    generator = ImageDataGenerator(**ranges | {"fill_mode": "constant", "cval": 255.0})
    moved = generator.flow(pictures, seed=3, shuffle=False)[0]
    assert moved.dtype == np.float32
    assert len({picture.tobytes() for picture in moved}) > 1
    for picture in moved:
        inside = picture[..., 2] == 50
        # Each value is affine in the place it stands at: 3 numbers explain all of them.
        basis = np.stack([y[inside], x[inside], np.ones(inside.sum())], -1)
        for channel in range(2):
            solved, *_ = np.linalg.lstsq(basis, picture[inside][:, channel], rcond=None)
            limit = 10 if generator.interpolation_order == 0 else 2
            assert np.max(np.abs(basis @ solved - picture[inside][:, channel])) < limit


def test_draws_stay_in_their_ranges():
    size, count = 21, 60
    x = np.zeros((count, size, size, 1), np.float32)
    x[:, 10, 10] = 1
    flow = ImageDataGenerator(width_shift_range=[-6, 2], height_shift_range=4, fill_mode="constant").flow(
        x, batch_size=count, seed=1
    )
    places = np.argwhere(flow[0][..., 0])[:, 1:] - 10
    # An integer n draws from 0..n-1, then a sign; a list draws one of its numbers, then a sign.
    assert set(places[:, 0]) == set(range(-3, 4))
    assert set(places[:, 1]) == {-6, -2, 2, 6}


def test_colour_draws():
    x = np.full((200, 2, 2, 3), 100.0, np.float32)
    lit = ImageDataGenerator(brightness_range=(0.5, 1.5)).flow(x, batch_size=200, seed=1)[0][:, 0, 0, 0]
    assert lit.min() >= 50 and lit.max() <= 150 and abs(lit.mean() - 100) < 6 and np.ptp(lit) > 80
    x[:, 0, 0], x[:, 1, 1] = 0, 255
    shifted = ImageDataGenerator(channel_shift_range=30).flow(x, batch_size=200, seed=1)[0][:, 0, 1, 0] - 100
    assert np.abs(shifted).max() <= 30 and abs(shifted.mean()) < 4 and np.ptp(shifted) > 50


def test_arrays_equal_the_old_class():
    random = np.random.default_rng(0)
    x, y = random.uniform(0, 255, (11, 6, 6, 3)).astype("float32"), np.arange(11) % 2
    weights, extra = random.uniform(size=11), random.uniform(size=(11, 4))
    for arguments in ({"y": y}, {"y": y, "sample_weight": weights}, {}, {"y": y, "subset": "training"}):
        found = [
            cls(rescale=2.0, validation_split=0.3).flow(x, shuffle=False, batch_size=4, **arguments) for cls in BOTH
        ]
        assert_same_batches(*found)
    found = [cls().flow((x * 0.1).astype("int64"), y, shuffle=False) for cls in BOTH]
    assert_same_batches(*found)
    found = [cls().flow((x, [extra]), y, shuffle=False, batch_size=4) for cls in BOTH]
    assert_same_batches(*found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": np.zeros((4, 4, 3))}, "four axes"),
        ({"x": np.zeros((4, 4, 4, 3)), "y": np.zeros(3)}, "as long as"),
        ({"x": np.zeros((4, 4, 4, 2))}, "channels"),
        ({"x": np.zeros((4, 4, 4, 3)), "subset": "test"}, "subset"),
        ({"x": np.zeros((4, 4, 4, 3)), "y": np.array([0, 0, 1, 1]), "subset": "training"}, "same classes"),
        ({"x": np.zeros((4, 4, 4, 3)), "save_to_dir": "there"}, "save_to_dir"),
        ({"x": np.zeros((4, 4, 4, 3)), "sample_weight": np.ones(4)}, "sample_weight"),
    ],
)
def test_bad_arrays(arguments, message):
    with pytest.raises(ValueError, match=message):
        ImageDataGenerator(validation_split=0.5).flow(**arguments)


def test_bad_directories(root, tmp_path):
    generator = ImageDataGenerator()
    with pytest.raises(FileNotFoundError):
        generator.flow_from_directory(root / "missing")
    with pytest.raises(ValueError, match="directory"):
        generator.flow_from_directory(tmp_path)
    with pytest.raises(ValueError, match="validation_split"):
        generator.flow_from_directory(root, subset="training")
    for bad in ({"class_mode": "raw"}, {"color_mode": "cmyk"}, {"interpolation": "box"}, {"target_size": 3}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            generator.flow_from_directory(root, **bad)
    (tmp_path / "one").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "one" / "a.tif")
    with pytest.raises(PictureError, match="a.tif"):
        generator.flow_from_directory(tmp_path)


def test_a_file_that_cannot_be_decoded_is_named(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "broken.jpg").write_text("no picture")
    flow = ImageDataGenerator().flow_from_directory(tmp_path)
    with pytest.raises(Exception, match=r"broken\.jpg"):
        next(flow)


@pytest.fixture(scope="module")
def frame(root):
    paths = sorted(str(path.relative_to(root)) for path in root.rglob("*.[pP][nN][gG]"))
    table = pandas.DataFrame({"filename": paths, "class": [path.split("/")[0] for path in paths]})
    return table.assign(weight=np.linspace(0, 1, len(table)), size=range(len(table)), half=np.arange(len(table)) / 2)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"class_mode": "sparse", "weight_col": "weight", "subset": "training"},
        {"class_mode": "sparse", "subset": "validation"},
        {"class_mode": "binary", "classes": ["c é", "a dog"]},
        {"class_mode": "raw", "y_col": "size"},
        {"class_mode": "raw", "y_col": ["size", "half"]},
        {"class_mode": "input"},
        {"class_mode": None},
    ],
)
def test_frame_equals_the_old_class(root, frame, options):
    options = {"target_size": (11, 13), "shuffle": False, "batch_size": 4} | options
    ours, theirs = (cls(validation_split=0.3).flow_from_dataframe(frame, str(root), **options) for cls in BOTH)
    assert ours.filenames == theirs.filenames
    for name in ("class_indices", "classes"):
        if hasattr(theirs, name):
            assert getattr(ours, name) == getattr(theirs, name)
    if options.get("weight_col"):  # the old class hands float64 weights on
        ours, theirs = (
            [(x, y, w.astype("float32")) for x, y, w in map(flow.__getitem__, range(3))] for flow in (ours, theirs)
        )
    assert_same_batches(ours, theirs)


def test_frame_with_several_outputs_and_several_labels(root, frame):
    outputs = [
        cls().flow_from_dataframe(frame, str(root), y_col=["size", "half"], class_mode="multi_output", shuffle=False)
        for cls in BOTH
    ]
    assert_same_batches(*outputs)
    several = frame.assign(**{"class": [["x"], ["x", "y"], ["z", "x"]] * 4 + [["y"]] * (len(frame) - 12)})
    for classes in (None, ["y", "x"]):
        found = [cls().flow_from_dataframe(several, str(root), classes=classes, shuffle=False) for cls in BOTH]
        assert found[0].classes == found[1].classes
        assert_same_batches(*found)


def test_frame_rows_without_a_file_are_left_out_with_a_warning(root, frame):
    rows = pandas.concat([frame, frame.iloc[:1].assign(filename="missing.png")])
    with pytest.warns(UserWarning, match="missing.png"):
        assert ImageDataGenerator().flow_from_dataframe(rows, root).samples == len(frame)
    with pytest.raises(TypeError, match="y_col"):
        ImageDataGenerator().flow_from_dataframe(frame, root, y_col="size")
    with pytest.raises(ValueError, match="nowhere"):
        ImageDataGenerator().flow_from_dataframe(frame, root, x_col="nowhere")
    with pytest.raises(TypeError, match="DataFrame"):
        ImageDataGenerator().flow_from_dataframe({"filename": []}, root)


def test_the_iterator_protocol(root):
    flow = ImageDataGenerator().flow_from_directory(root, target_size=(8, 8), batch_size=4, seed=5, class_mode="sparse")
    assert len(flow) == 4
    drawn = [next(flow) for _ in range(9)]
    sizes = [len(images) for images, _ in drawn]
    assert sizes == [4, 4, 4, 3, 4, 4, 4, 3, 4]
    assert isinstance(drawn[0][0], np.ndarray)
    assert not np.array_equal(drawn[0][1], drawn[4][1]) or not np.array_equal(drawn[1][1], drawn[5][1])
    flow.reset()
    np.testing.assert_array_equal(next(flow)[0], drawn[8][0])
    np.testing.assert_array_equal(flow[0][0], drawn[8][0])
    np.testing.assert_array_equal(flow[-1][0], flow[3][0])
    with pytest.raises(IndexError):
        flow[4]
    flow.reset()
    assert sum(1 for _ in flow) == 4
    parts = [flow.shard(index, 2) for index in range(2)]
    assert parts[1].class_indices == flow.class_indices
    counts = [sum(len(labels) for _, labels in part) for part in parts]
    assert sum(counts) == flow.samples


def test_keras_takes_the_flows(root):
    generator = ImageDataGenerator(rescale=1 / 255, rotation_range=10, horizontal_flip=True)
    train = generator.flow_from_directory(root, target_size=(8, 8), batch_size=4, seed=1)
    still = ImageDataGenerator(rescale=1 / 255).flow_from_directory(root, target_size=(8, 8), shuffle=False)
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")])
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    # Keras warns of shuffle=True, its default, with any tf.data.Dataset.
    history = model.fit(train, validation_data=still, epochs=2, verbose=0, shuffle=False).history
    assert len(history["val_loss"]) == 2
    predicted = model.predict(still, verbose=0)
    assert predicted.shape == (still.samples, 3)
    hits = predicted.argmax(-1) == still.classes
    assert model.evaluate(still, verbose=0, return_dict=True)["accuracy"] == pytest.approx(hits.mean())


def test_the_case_study_on_flowers(shared_data):
    arguments = {"rescale": 1 / 255, "shear_range": 0.2, "zoom_range": 0.2, "horizontal_flip": True}
    options = {"target_size": (224, 224), "batch_size": 32, "class_mode": "categorical", "seed": 1}
    flow, old = (
        cls(**arguments).flow_from_directory(shared_data("flower_photos") / "train", **options) for cls in BOTH
    )
    assert (flow.class_indices, flow.filenames, len(flow)) == (old.class_indices, old.filenames, len(old))
    means, labels = [], []
    for images, targets in itertools.islice(flow, 8):
        assert images.shape == (32, 224, 224, 3) and images.dtype == "float32"
        assert images.numpy().min() >= 0 and images.numpy().max() <= 1
        means.append(images.numpy().mean())
        labels.append(targets.numpy())
    assert np.all(np.concatenate(labels).sum(1) == 1)
    assert abs(np.mean(means) - np.mean([next(old)[0].mean() for _ in range(2)])) < 0.05


def test_a_flower_moved_by_nothing_is_the_flower_resized(shared_data):
    """One pass from the file's size to the target size, against Pillow's own affine transform."""
    root = shared_data("flower_photos") / "train"
    flow = ImageDataGenerator(width_shift_range=[0]).flow_from_directory(
        root, target_size=(96, 96), shuffle=False, batch_size=8
    )
    assert flow.samples == 1200
    shifted = ImageDataGenerator(zoom_range=(0.9999, 1.0001)).flow_from_directory(
        root, target_size=(96, 96), shuffle=False, batch_size=8
    )[0][0]
    for path, ours in zip(flow.filepaths, shifted, strict=False):
        with Image.open(path) as file:
            across, down = file.width / 96, file.height / 96
            theirs = np.asarray(
                file.convert("RGB").transform(
                    (96, 96), Image.Transform.AFFINE, (across, 0, 0, 0, down, 0), Image.Resampling.BILINEAR
                ),
                np.float32,
            )
        inner = (slice(2, -2), slice(2, -2))
        assert np.mean(np.abs(ours[inner] - theirs[inner])) < 1.5
