"""The three flows of `ImageDataGenerator`."""

import os

import numpy as np

from unitools.core import require
from unitools.core.checks import check_choice, fail
from unitools.data.generator.batch_targets import array_targets, class_targets
from unitools.data.generator.directory_listing import list_directory, subset_split
from unitools.data.generator.frame_listing import class_labels, list_frame
from unitools.data.generator.generator_batches import GeneratorBatches
from unitools.data.generator.generator_source import array_source, file_source
from unitools.data.picture_source import CHANNELS

DIRECTORY_CLASS_MODES = ("categorical", "binary", "sparse", "input", None)


def directory_flow(generator, directory, classes, class_mode, subset, follow_links, pictures, order):
    """Return the batches of `flow_from_directory`.

    Args:
        generator: An `ImageDataGenerator`.
        directory: See there, and so the next four.
        classes: Names or None.
        class_mode: One of `DIRECTORY_CLASS_MODES`.
        subset: "training", "validation" or None.
        follow_links: Whether links to folders are entered.
        pictures: Dictionary with `target_size`, `color_mode`, `interpolation` and `keep_aspect_ratio`.
        order: Dictionary with `batch_size`, `shuffle` and `seed`.
    """
    check_choice("class_mode", class_mode, DIRECTORY_CLASS_MODES)
    split = subset_split(subset, generator.validation_split)
    names, filenames, labels = list_directory(directory, classes, split, follow_links)
    if class_mode == "binary" and len(names) > 2:
        fail("class_mode", class_mode, f"'categorical' or 'sparse' for {len(names)} classes")
    print(f"Found {len(filenames)} images belonging to {len(names)} classes.")
    facts = {
        "directory": directory,
        "class_indices": {name: label for label, name in enumerate(names)},
        "num_classes": len(names),
        "classes": np.array(labels, np.int32),
        "filenames": filenames,
        "filepaths": [os.path.join(os.fspath(directory), name) for name in filenames],
    }
    facts["labels"] = facts["classes"]
    targets = class_targets(class_mode, labels, len(names), generator.dtype)
    return _file_batches(generator, facts | {"class_mode": class_mode}, targets, pictures, order)


def frame_flow(generator, frame, directory, columns, classes, class_mode, subset, validate_filenames, pictures, order):
    """Return the batches of `flow_from_dataframe`; arguments as there and in `directory_flow`.

    `columns` is (`x_col`, `y_col`, `weight_col`).
    """
    pandas = require("pandas", "pandas", "`ImageDataGenerator.flow_from_dataframe`")
    if not isinstance(frame, pandas.DataFrame):
        raise TypeError(f"`dataframe` must be a pandas DataFrame. Received {type(frame).__name__}. Wrap it in one.")
    split = subset_split(subset, generator.validation_split)
    frame, names = list_frame(frame, directory, columns, class_mode, classes, validate_filenames)
    frame = frame.iloc[int(split[0] * len(frame)) : int(split[1] * len(frame))]
    if len(frame) == 0:
        fail("dataframe", 0, "a data frame with at least one row to use", "The number of rows left is shown.")
    x_col, y_col, weight_col = columns
    facts = {"directory": directory or "", "class_mode": class_mode, "filenames": list(frame[x_col])}
    facts["filepaths"] = [os.path.join(directory or "", name) for name in facts["filenames"]]
    if names is not None:
        facts["class_indices"] = {name: label for label, name in enumerate(names)}
        facts["num_classes"] = len(names)
        facts["classes"] = facts["labels"] = class_labels(frame[y_col], facts["class_indices"])
    elif class_mode == "raw":
        facts["labels"] = frame[y_col].values
    elif class_mode == "multi_output":
        facts["labels"] = [np.array(list(frame[column])) for column in y_col]
    weights = frame[weight_col].values if weight_col else None
    print(f"Found {len(frame)} image files" + (f" belonging to {len(names)} classes." if names is not None else "."))
    targets = class_targets(class_mode, facts.get("labels"), len(names or ()), generator.dtype, weights)
    return _file_batches(generator, facts, targets, pictures, order)


def array_flow(generator, x, y, sample_weight, subset, ignore_class_split, order):
    """Return the batches of `flow`; arguments as there and in `directory_flow`."""
    images, further = x if isinstance(x, (tuple, list)) else (x, [])
    arrays = [np.asarray(images), *(np.asarray(a) for a in (further if isinstance(further, list) else [further]))]
    labels, weights = (None if value is None else np.asarray(value) for value in (y, sample_weight))
    _check_arrays(generator, arrays, labels, weights)
    split = subset_split(subset, generator.validation_split)
    count = len(arrays[0])
    if subset is not None and labels is not None and not ignore_class_split:
        _check_classes(labels, int(generator.validation_split * count))
    part = slice(int(split[0] * count), int(split[1] * count))
    images, *further = (array[part] for array in arrays)
    labels, weights = (None if value is None else value[part] for value in (labels, weights))
    facts = _common(generator, images.shape[1:]) | {"x": images, "y": labels, "sample_weight": weights}
    if generator.data_format == "channels_first":
        images = np.transpose(images, (0, 2, 3, 1))
    source = array_source(generator, images, array_targets(further, labels, weights))
    return GeneratorBatches(source, **order, attributes=facts)


def _file_batches(generator, facts, targets, pictures, order):
    check_choice("color_mode", pictures["color_mode"], tuple(CHANNELS))
    shape = (*pictures["target_size"], CHANNELS[pictures["color_mode"]])
    if generator.data_format == "channels_first":
        shape = (shape[2], *shape[:2])
    source = file_source(generator, facts["filepaths"], targets, pictures)
    return GeneratorBatches(source, **order, attributes=_common(generator, shape) | pictures | facts)


def _common(generator, image_shape):
    return {
        "image_data_generator": generator,
        "image_shape": tuple(image_shape),
        "data_format": generator.data_format,
        "dtype": generator.dtype,
    }


def _check_arrays(generator, arrays, labels, weights):
    if arrays[0].ndim != 4:
        fail("x", arrays[0].shape, "pictures with four axes (the shape is shown)", "Use x[None] for one picture.")
    others = [array for array in (*arrays[1:], labels, weights) if array is not None]
    lengths = [len(array) for array in (arrays[0], *others)]
    if len(set(lengths)) > 1:
        fail("x", lengths, "as long as `y`, `sample_weight` and further inputs", "The lengths are shown.")
    if weights is not None and labels is None:
        fail("sample_weight", weights.shape, "None where `y` is None", "Keras weights the loss of labels.")
    channels = arrays[0].shape[generator.channel_axis]
    if channels not in (1, 3, 4):
        fail("x", arrays[0].shape, f"of 1, 3 or 4 channels on axis {generator.channel_axis}", "See `data_format`.")


def _check_classes(labels, border):
    """Raise where one subset lacks classes that the other has."""
    if not np.array_equal(np.unique(labels[:border]), np.unique(labels[border:])):
        raise ValueError(
            "`y` must have the same classes in both subsets, the first part (validation) and the rest (training). "
            f"Received {len(np.unique(labels[:border]))} and {len(np.unique(labels[border:]))} of them. Shuffle x and "
            "y together first, or use ignore_class_split=True."
        )
