"""Listing pictures in class folders, without opening one."""

import os
from pathlib import Path

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".webp"})
_OTHER_PICTURE_SUFFIXES = frozenset({".tif", ".tiff", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".ico"})


class UnknownClassError(ValueError):
    """A folder holds classes that `class_names` lacks."""


def list_class_folders(root, class_names=None, *, follow_links=True):
    """List the pictures of each class folder under `root`, in the order of their names.

    Hidden files and folders are passed over, and so are files that are no pictures by their suffix.

    Args:
        root: Folder with one folder a class.
        class_names: Names of the classes in the order of their labels. Default: the folders, sorted.
        follow_links: Whether links to folders are entered. A folder reached twice is listed once.

    Returns:
        (class names, list of (file, label), list of (file, reason) for what cannot be read).

    Raises:
        FileNotFoundError, NotADirectoryError: `root` is no folder.
        UnknownClassError: There are class folders that are not in `class_names`.
        ValueError: There are no class folders.
    """
    findings = []
    root = Path(root)
    if not root.exists():
        raise FileNotFoundError(f"`path` must be a folder with one folder a class. {str(root)!r} does not exist.")
    if not root.is_dir():
        raise NotADirectoryError(f"`path` must be a folder with one folder a class. {str(root)!r} is a file.")
    folders, files = _entries(root, follow_links, findings)
    present = [folder.name for folder in folders]
    if class_names is None:
        class_names = present
    _check_names(root, present, list(class_names), files)
    examples = []
    for label, name in enumerate(class_names):
        pictures = _pictures(root / name, follow_links, findings) if name in present else []
        examples.extend((str(picture), label) for picture in pictures)
    return tuple(class_names), examples, findings


def _check_names(root, present, class_names, files):
    if not present:
        hint = "It holds pictures, but no folders. " if any(_is_picture(file) for file in files) else ""
        raise ValueError(
            f"`path` must be a folder with one folder a class. {str(root)!r} has none. {hint}Move the pictures into "
            f"folders named after their classes (one folder, and class_mode=None, where there are no classes)."
        )
    unknown = sorted(set(present) - set(class_names))
    if unknown:
        raise UnknownClassError(
            f"`class_names` must name every class folder of {str(root)!r}. It lacks {unknown}; it has {class_names}. "
            "Remove those folders, or add the classes to the data the names come from."
        )


def _pictures(folder, follow_links, findings):
    """Return the pictures under a class folder, at any depth."""
    found, seen, waiting = [], set(), [folder]
    while waiting:
        current = waiting.pop()
        real = os.path.realpath(current)
        if real in seen:
            continue
        seen.add(real)
        folders, files = _entries(current, follow_links, findings)
        waiting.extend(folders)
        found.extend(file for file in files if _is_picture(file))
        findings.extend(
            (str(file), f"{file.suffix.lower()} files are not read: convert to JPEG or PNG")
            for file in files
            if file.suffix.lower() in _OTHER_PICTURE_SUFFIXES
        )
    return sorted(found)


def _entries(folder, follow_links, findings):
    """Return the folders and files in a folder, sorted; note broken links and what may not be read."""
    folders, files = [], []
    try:
        with os.scandir(folder) as entries:
            entries = sorted(
                (entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name
            )
    except OSError as error:
        findings.append((str(folder), f"the folder cannot be read: {error.strerror}"))
        return folders, files
    for entry in entries:
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=follow_links):
            folders.append(path)
        elif entry.is_file():
            files.append(path)
        elif entry.is_symlink() and not path.exists():
            findings.append((str(path), f"a broken link to {os.readlink(path)!r}"))
    return folders, files


def _is_picture(file):
    return file.suffix.lower() in PICTURE_SUFFIXES
