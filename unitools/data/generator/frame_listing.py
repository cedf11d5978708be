"""Which files of a data frame belong to which class, by the rules of the old `ImageDataGenerator`."""

import os
import warnings

import numpy as np

from unitools.core.checks import check_choice, fail
from unitools.data.generator.directory_listing import SUFFIXES

CLASS_MODES = ("binary", "categorical", "input", "multi_output", "raw", "sparse", None)
WITHOUT_CLASSES = ("input", "multi_output", "raw", None)


def list_frame(frame, directory, columns, class_mode, classes, validate_filenames):
    """Return (rows of the frame that can be used, class names or None).

    Rows whose file does not exist, or is no picture by its suffix, are left out with a warning; so are rows whose
    class is not in `classes`.

    Args:
        frame: A pandas DataFrame.
        directory: Folder that relative names start from, or None.
        columns: (`x_col`, `y_col`, `weight_col`).
        class_mode: One of `CLASS_MODES`.
        classes: Names of the classes in the order of their labels, or None for all, sorted.
        validate_filenames: Whether to look whether the files exist.
    """
    x_col, y_col, weight_col = columns
    check_choice("class_mode", class_mode, CLASS_MODES)
    _check_columns(frame, x_col, y_col, weight_col, class_mode)
    if validate_filenames:
        frame = _existing(frame, directory, x_col)
    if class_mode in WITHOUT_CLASSES:
        if classes:
            warnings.warn(f"`classes` has no meaning with class_mode={class_mode!r}: it is ignored.", stacklevel=4)
        return frame, None
    frame, classes = _of_classes(frame, y_col, classes)
    if class_mode == "binary" and len(classes) != 2:
        fail("class_mode", class_mode, f"'categorical' or 'sparse' for the {len(classes)} classes of {y_col!r}")
    return frame, classes


def class_labels(values, class_indices):
    """Return the label of each value, a list of labels where the value is a list of classes."""
    return [
        [class_indices[name] for name in value] if isinstance(value, (list, tuple)) else class_indices[value]
        for value in values
    ]


def _check_columns(frame, x_col, y_col, weight_col, class_mode):
    if class_mode == "multi_output" and not isinstance(y_col, list):
        raise TypeError(f"`y_col` must be a list of columns with class_mode='multi_output'. Received y_col={y_col!r}.")
    needed = [x_col] + (y_col if isinstance(y_col, list) else [y_col] if class_mode not in (None, "input") else [])
    needed += [weight_col] if weight_col else []
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        fail("dataframe", list(frame.columns), f"a data frame with the columns {missing}", "Its columns are shown.")
    if not all(isinstance(name, str) for name in frame[x_col]):
        raise TypeError(f"`x_col` must name a column of file names, strings. Column {x_col!r} holds other values.")
    allowed = {"binary": str, "sparse": str, "categorical": (str, list, tuple)}.get(class_mode)
    if allowed and not all(isinstance(value, allowed) for value in frame[y_col]):
        raise TypeError(
            f"`y_col` must name a column of class names, strings, with class_mode={class_mode!r}. Column {y_col!r} "
            'holds other values. Use `frame[y_col].astype(str)`, or class_mode="raw" for numbers.'
        )
    if weight_col and not np.issubdtype(frame[weight_col].dtype, np.number):
        raise TypeError(f"`weight_col` must name a column of numbers. Received weight_col={weight_col!r}.")


def _existing(frame, directory, x_col):
    paths = [os.path.join(directory or "", name) for name in frame[x_col]]
    usable = np.array([path.lower().endswith(SUFFIXES) and os.path.isfile(path) for path in paths], bool)
    if not usable.all():
        first = paths[int(np.argmin(usable))]
        warnings.warn(
            f"{(~usable).sum()} of {len(usable)} file names in column {x_col!r} are no PNG, JPEG or BMP that exists, "
            f"{first!r} the first of them. They are left out.",
            stacklevel=5,
        )
    return frame[usable]


def _of_classes(frame, y_col, classes):
    """Return the rows of the classes, and their names."""
    values = list(frame[y_col])
    if not classes:
        names = [name for value in values for name in (value if isinstance(value, (list, tuple)) else [value])]
        return frame, sorted(set(names))
    classes = list(dict.fromkeys(classes))
    kept = [
        [name for name in value if name in classes] if isinstance(value, (list, tuple)) else value for value in values
    ]
    usable = [bool(value) if isinstance(value, list) else value in classes for value in kept]
    column = np.empty(len(kept), object)
    column[:] = kept
    return frame.assign(**{y_col: column})[usable], classes
