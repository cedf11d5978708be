"""Checks of the arguments of `ImageDataGenerator`, and what they imply."""

import warnings

from unitools.core.checks import check_choice, check_flag, check_integer, check_number, check_span, fail

FILL_MODES = ("constant", "nearest", "reflect", "wrap")
DATA_FORMATS = ("channels_last", "channels_first")
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos")
_FLAGS = (
    "featurewise_center",
    "samplewise_center",
    "featurewise_std_normalization",
    "samplewise_std_normalization",
    "zca_whitening",
    "horizontal_flip",
    "vertical_flip",
)
_IMPLIED = {
    "zca_whitening": "featurewise_center",
    "featurewise_std_normalization": "featurewise_center",
    "samplewise_std_normalization": "samplewise_center",
}


def checked_arguments(given):
    """Return the constructor's arguments, checked, with those set that others imply.

    Args:
        given: Dictionary of the arguments by name.
    """
    values = dict(given)
    for name in _FLAGS:
        check_flag(name, values[name])
    for name in ("rotation_range", "shear_range", "channel_shift_range"):
        check_number(name, values[name], 0)
    for name in ("width_shift_range", "height_shift_range"):
        values[name] = _shift_range(name, values[name])
    values["zoom_range"] = _zoom_range(values["zoom_range"])
    if values["brightness_range"] is not None:
        values["brightness_range"] = check_span("brightness_range", values["brightness_range"], 0)
    check_number("zca_epsilon", values["zca_epsilon"], 0, open_low=True)
    check_number("cval", values["cval"])
    check_choice("fill_mode", values["fill_mode"], FILL_MODES)
    check_choice("data_format", values["data_format"], DATA_FORMATS)
    check_choice("interpolation_order", values["interpolation_order"], (0, 1), "Splines of higher order are gone.")
    check_number("validation_split", values["validation_split"], 0, 1, open_high=True)
    if values["rescale"] is not None:
        check_number("rescale", values["rescale"])
    if values["preprocessing_function"] is not None and not callable(values["preprocessing_function"]):
        fail("preprocessing_function", values["preprocessing_function"], "a function of one picture, or None")
    return _with_implied(values)


def checked_flow(target_size, interpolation, save_to_dir):
    """Return (height, width), or raise for what the flows from files do not take."""
    refuse_saving(save_to_dir)
    check_choice("interpolation", interpolation, INTERPOLATIONS, "'box' and 'hamming' are gone: use 'bilinear'.")
    if not isinstance(target_size, (tuple, list)) or len(target_size) != 2:
        fail("target_size", target_size, "a pair (height, width)")
    return tuple(check_integer("target_size", size, 1) for size in target_size)


def refuse_saving(save_to_dir):
    """Raise if pictures are to be written while they are drawn."""
    if save_to_dir is not None:
        fail(
            "save_to_dir",
            save_to_dir,
            "None: flows write no files",
            "Take pictures with next(flow) and write them with keras.utils.save_img.",
        )


def _shift_range(name, value):
    """Return a number as it is, a sequence as a tuple."""
    value = value.tolist() if hasattr(value, "tolist") else value  # numpy's arrays and numbers
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    for entry in values:
        check_number(name, entry, advice="Give a share below 1, a number of pixels, or a list to choose from.")
    if not values or (len(values) == 1 and values[0] < 0):
        fail(name, value, "a number >= 0, or a list of numbers")
    if isinstance(value, (int, float)):
        return value
    return tuple(float(entry) for entry in values)


def _zoom_range(value):
    return list(check_span("zoom_range", value, 0, around=1.0, advice="Use zoom_range=0 to turn it off."))


def _with_implied(values):
    for name, implied in _IMPLIED.items():
        if values[name] and not values[implied]:
            warnings.warn(f"`{name}` works on centred pictures: `{implied}` is turned on.", stacklevel=4)
            values[implied] = True
    if values["zca_whitening"] and values["featurewise_std_normalization"]:
        warnings.warn(
            "`zca_whitening` already gives unit variance: `featurewise_std_normalization` is turned off.", stacklevel=4
        )
        values["featurewise_std_normalization"] = False
    return values
