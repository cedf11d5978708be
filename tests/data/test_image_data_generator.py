"""The class Keras 3 removed still lies in its legacy folder: it is the oracle."""

import inspect
import itertools

import numpy as np
import pytest
from keras.src.legacy.preprocessing.image import ImageDataGenerator as OldGenerator

from unitools.data import ImageDataGenerator

# The old class reaches scipy by a name that scipy is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:Please import `affine_transform`:DeprecationWarning")

FILL_MODES = ("constant", "nearest", "reflect", "wrap")
ALONE = {
    "theta": 23.0,
    "tx": -3.6,
    "ty": 5.3,
    "shear": 17.0,
    "zx": 1.31,
    "zy": 0.77,
    "flip_horizontal": True,
    "flip_vertical": True,
    "channel_shift_intensity": 31.0,
    "brightness": 1.3,
}


def picture(dtype, height=37, width=52, channels=3):
    """Return a smooth random picture: on noise, an edge shifted by 1e-5 pixels would show."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(channels), indexing="ij")
    return (127 + 90 * np.sin(0.3 * y + c) * np.cos(0.2 * x - c) + 30 * np.sin(0.1 * x)).clip(0, 255).astype(dtype)


def transformed(x, parameters, **arguments):
    return [cls(**arguments).apply_transform(x.copy(), parameters) for cls in (ImageDataGenerator, OldGenerator)]


def assert_close(ours, theirs, dtype, fill_mode="nearest"):
    assert ours.shape == theirs.shape
    difference = np.abs(np.asarray(ours, np.float64) - np.asarray(theirs, np.float64))
    # A value that lies halfway between two grey levels may be rounded to either.
    limit = 1 if dtype == "uint8" else 0.02
    # What lies within 1e-5 pixels of the border may count as inside or outside, at most a few pixels; with "wrap", the
    # first and the last pixel stand at the same place, so one row and one column may be either.
    assert np.mean(difference > limit) < 0.004
    assert np.mean(difference[difference <= limit]) < 0.02 * (5 if dtype == "uint8" else 1)


def test_arguments_are_those_of_the_old_class():
    for name in ("__init__", "flow", "flow_from_directory", "fit", "apply_transform", "get_random_transform"):
        ours, theirs = (
            {key: value.default for key, value in inspect.signature(getattr(cls, name)).parameters.items()}
            for cls in (ImageDataGenerator, OldGenerator)
        )
        assert (list(ours), ours) == (list(theirs), theirs)


@pytest.mark.parametrize("fill_mode", FILL_MODES)
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
@pytest.mark.parametrize("name", ALONE)
def test_each_parameter_alone(name, dtype, fill_mode):
    ours, theirs = transformed(picture(dtype), {name: ALONE[name]}, fill_mode=fill_mode, cval=40.0)
    assert_close(ours, theirs, dtype, fill_mode)


@pytest.mark.parametrize("fill_mode", FILL_MODES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_parameters_combined(dtype, fill_mode):
    geometry = {name: value for name, value in ALONE.items() if name not in ("channel_shift_intensity", "brightness")}
    ours, theirs = transformed(picture(dtype), geometry, fill_mode=fill_mode, cval=40.0)
    assert ours.dtype == theirs.dtype
    assert_close(ours, theirs, dtype, fill_mode)


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(["theta", "tx", "shear", "zx"], 2)))
def test_pairs_of_parameters_fix_their_order(first, second):
    ours, theirs = transformed(picture("float32", 40, 40), {first: ALONE[first], second: ALONE[second]})
    assert_close(ours, theirs, "float32")


def test_all_together_with_colour():
    ours, theirs = transformed(picture("float32"), ALONE)
    # Brightness cuts to whole grey levels, so a difference of 1e-5 before it may be one level after it.
    assert np.max(np.abs(ours - theirs)) <= 1.31
    assert np.mean(np.abs(ours - theirs)) < 0.01


@pytest.mark.parametrize("fill_mode", FILL_MODES)
def test_nearest_pixel_order(fill_mode):
    parameters = {"theta": 23.0, "zx": 0.83, "tx": 2.3}
    ours, theirs = transformed(picture("float32"), parameters, fill_mode=fill_mode, interpolation_order=0)
    assert np.mean(np.abs(ours - theirs) > 1e-3) < 0.01


@pytest.mark.parametrize(("channels", "offset"), [(1, 0), (4, 0), (3, -60.5), (3, 90.5)])
def test_brightness_of_grey_alpha_and_values_beyond_bytes(channels, offset):
    x = picture("float32", channels=channels) + offset
    for factor in (0.0, 0.4, 1.0, 1.9):
        ours, theirs = transformed(x, {"brightness": factor})
        assert np.max(np.abs(ours - theirs)) <= 2.0  # one level of the stretched picture
        assert np.mean(np.abs(ours - theirs)) < 0.02


def test_channels_first():
    first = ImageDataGenerator(data_format="channels_first").apply_transform(
        picture("float32").transpose(2, 0, 1), {"theta": 10.0, "ty": 4.0, "brightness": 0.5}
    )
    last = ImageDataGenerator().apply_transform(picture("float32"), {"theta": 10.0, "ty": 4.0, "brightness": 0.5})
    np.testing.assert_array_equal(first.transpose(1, 2, 0), last)


@pytest.mark.parametrize(
    "ranges",
    [
        {"rotation_range": 30, "shear_range": 5.0, "zoom_range": 0.3, "horizontal_flip": True, "vertical_flip": True},
        {"channel_shift_range": 40.0, "brightness_range": (0.3, 1.4), "zoom_range": (0.5, 0.9)},
        {"height_shift_range": 0.2, "width_shift_range": 0.4},
        {"height_shift_range": 5, "width_shift_range": [-7, 3, 9]},
        {"height_shift_range": 1.5, "width_shift_range": [0.1, 0.2]},
        {"height_shift_range": np.float64(0.25), "width_shift_range": np.int64(5)},
    ],
)
def test_a_seed_draws_the_parameters_of_the_old_class(ranges):
    for seed in range(4):
        ours, theirs = (
            cls(**ranges).get_random_transform((40, 40, 3), seed) for cls in (ImageDataGenerator, OldGenerator)
        )
        # The old class moves columns by the height's shift, see docs/image_data_generator.md.
        theirs["tx"], theirs["ty"] = theirs["ty"], theirs["tx"]
        assert ours == pytest.approx(theirs)


def test_ranges_may_be_arrays():
    given, listed = (ImageDataGenerator(width_shift_range=values) for values in (np.array([1, 5]), [1, 5]))
    assert given.get_random_transform((9, 9, 1), 3) == listed.get_random_transform((9, 9, 1), 3)


def test_shifts_move_along_the_axis_they_name():
    x = np.zeros((9, 9, 1), np.float32)
    x[4, 4] = 1
    wide = ImageDataGenerator(width_shift_range=[2], fill_mode="constant").random_transform(x, seed=1)
    high = ImageDataGenerator(height_shift_range=[2], fill_mode="constant").random_transform(x, seed=1)
    assert [np.argwhere(found[..., 0]).tolist()[0][0] == 4 for found in (wide, high)] == [True, False]
    assert [np.argwhere(found[..., 0]).tolist()[0][1] == 4 for found in (wide, high)] == [False, True]


NORMALISATIONS = [
    {"rescale": 1 / 255},
    {"samplewise_center": True, "samplewise_std_normalization": True},
    {"featurewise_center": True, "rescale": 0.5},
    {"featurewise_center": True, "featurewise_std_normalization": True},
    {"featurewise_center": True, "zca_whitening": True, "zca_epsilon": 1e-2},
    {"preprocessing_function": lambda x: x[..., ::-1] - 3.0, "rescale": 2.0, "samplewise_center": True},
]


def samples(count=12, size=6):
    return np.random.default_rng(0).uniform(0, 255, (count, size, size, 3)).astype("float32")


@pytest.mark.parametrize("arguments", NORMALISATIONS, ids=lambda arguments: "+".join(arguments))
def test_fit_and_standardize(arguments):
    ours, theirs = ImageDataGenerator(**arguments), OldGenerator(**arguments)
    for generator in (ours, theirs):
        generator.fit(samples())
    for name in ("mean", "std", "zca_whitening_matrix"):
        if getattr(theirs, name) is None:
            assert getattr(ours, name) is None
        else:
            np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-4, atol=1e-5)
    given = samples()[3]
    np.testing.assert_allclose(ours.standardize(given), theirs.standardize(given.copy()), rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(given, samples()[3])


def test_fit_on_augmented_copies():
    arguments = {"featurewise_center": True, "zoom_range": 0.3, "rotation_range": 20, "rescale": 0.1}
    found = []
    for cls in (ImageDataGenerator, OldGenerator):
        generator = cls(**arguments)
        generator.fit(samples(), augment=True, rounds=2, seed=3)
        found.append(generator.mean)
    np.testing.assert_allclose(*found, rtol=1e-4)


def test_fit_channels_first():
    generator = ImageDataGenerator(featurewise_center=True, data_format="channels_first")
    generator.fit(samples().transpose(0, 3, 1, 2))
    np.testing.assert_allclose(generator.mean[:, 0, 0], samples().mean((0, 1, 2)), rtol=1e-5)


def test_what_other_arguments_imply_is_turned_on_with_a_warning():
    with pytest.warns(UserWarning, match="samplewise_center"):
        assert ImageDataGenerator(samplewise_std_normalization=True).samplewise_center
    with pytest.warns(UserWarning, match="featurewise_center"):
        assert ImageDataGenerator(zca_whitening=True).featurewise_center
    with pytest.warns(UserWarning, match="Call `fit"):
        ImageDataGenerator(featurewise_center=True).standardize(samples())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"zoom_range": (0.5, 1, 2)}, "zoom_range"),
        ({"fill_mode": "mirror"}, "fill_mode"),
        ({"validation_split": 1.5}, "validation_split"),
        ({"data_format": "channels_middle"}, "data_format"),
        ({"brightness_range": 0.2}, "brightness_range"),
        ({"interpolation_order": 3}, "interpolation_order"),
        ({"rotation_range": -5}, "rotation_range"),
        ({"preprocessing_function": 3}, "preprocessing_function"),
        ({"width_shift_range": -0.1}, "width_shift_range"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ImageDataGenerator(**arguments)
