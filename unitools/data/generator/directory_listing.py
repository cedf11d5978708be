"""Which files of a directory belong to which class, in the order of the old `ImageDataGenerator`."""

import os

from unitools.core.checks import check_choice, fail
from unitools.data.picture_error import PictureError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
_UNREAD_SUFFIXES = (".ppm", ".tif", ".tiff")
"""What the old class read through Pillow, and TensorFlow does not decode."""


def list_directory(directory, classes, split, follow_links):
    """Return (class names, file names relative to `directory`, label of each file).

    Classes are the folders in sorted order. Within a class, the folders below it are taken in sorted order, and the
    files of each in sorted order. Names that begin with a dot are passed over (the old class took them in).

    Args:
        directory: Folder with one folder a class.
        classes: Names of the folders, in the order of their labels, or None for all.
        split: (start, stop) as shares of the files of each class.
        follow_links: Whether links to folders below a class folder are entered.

    Raises:
        PictureError: There are files that cannot be read, by their suffix.
        ValueError: There are no pictures at all.
    """
    directory = os.fspath(directory)
    classes = list(classes) if classes else _folders(directory)
    filenames, labels = [], []
    for label, name in enumerate(classes):
        found = _pictures(os.path.join(directory, name), follow_links)
        found = [os.path.join(name, file) for file in found[int(split[0] * len(found)) : int(split[1] * len(found))]]
        filenames += found
        labels += [label] * len(found)
    if not filenames:
        fail("directory", directory, "a folder with one folder of pictures a class", f"Classes looked for: {classes}.")
    return classes, filenames, labels


def subset_split(subset, validation_split):
    """Return the (start, stop) shares of a subset: validation comes first, as in the old class."""
    if check_choice("subset", subset, (None, "training", "validation")) is None:
        return 0, 1
    if not validation_split:
        fail("subset", subset, "None where the generator has validation_split=0", "Set `validation_split`.")
    return (0, validation_split) if subset == "validation" else (validation_split, 1)


def _folders(directory):
    with os.scandir(directory) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def _pictures(folder, follow_links):
    """Return the pictures below a folder, by their path in it."""
    files = [
        os.path.join(root, file)
        for root, _, names in sorted(os.walk(folder, followlinks=follow_links), key=lambda entry: entry[0])
        for file in sorted(names)
        if not file.startswith(".")
    ]
    unread = [file for file in files if file.lower().endswith(_UNREAD_SUFFIXES)]
    if unread:
        raise PictureError([(file, "PPM and TIFF are not read") for file in unread], "Convert them to PNG.")
    return [os.path.relpath(file, folder) for file in files if file.lower().endswith(SUFFIXES)]
