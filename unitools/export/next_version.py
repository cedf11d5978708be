"""The next number in a folder of versions."""

from pathlib import Path

from unitools.core.checks import fail

_WHOLE_EXPORTS = ("saved_model.pb", "signature.json")


def next_version(folder: str | Path) -> Path:
    """Return the path of the version after the newest in `folder`. Nothing is written.

    Why: a server takes the highest number as the newest version. Every entry whose name is a number counts, also a
    folder that is half written; hidden ones, such as those in which exports are written, do not. Gaps are not filled.
    Where two exporters get the same number, the one that ends later gets FileExistsError, and asks again.

    Args:
        folder: Folder of the model, such as "serving/flowers". It need not exist.

    Returns:
        `folder/1`, or one above the highest number.

    Raises:
        ValueError: `folder` is a file, or itself an export.

    Example:
    >>> import tempfile, unitools as ut
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp()) / "flowers"
    >>> ut.export.next_version(folder).name
    '1'
    >>> (folder / "7").mkdir(parents=True)
    >>> ut.export.next_version(folder).name
    '8'
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        fail("folder", str(folder), "a folder of versions", "It is a file. Give another name.")
    if any((folder / name).is_file() for name in _WHOLE_EXPORTS):
        fail("folder", str(folder), "a folder of versions", f"It is an export. Give {str(folder.parent)!r}.")
    names = [entry.name for entry in folder.iterdir()] if folder.exists() else []
    numbers = [int(name) for name in names if name.isascii() and name.isdigit()]
    return folder / str(max(numbers, default=0) + 1)
