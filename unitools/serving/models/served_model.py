"""Which folders are served under which names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from unitools.core.checks import fail


@dataclass(frozen=True)
class ServedModel:
    """A name, the folder with its versions, and which of them are served.

    Args:
        name: What it is asked by.
        folder: Folder whose numbered folders are versions.
        versions: Numbers to serve. Default (): the newest `newest`.
        newest: How many of the newest versions are served; 0 for all. Default 1.
        labels: Version by label, such as {"stable": 3, "canary": 4}.

    Example:
    >>> from pathlib import Path
    >>> from unitools.serving import ServedModel
    >>> ServedModel("flowers", Path("serving/flowers")).wanted([1, 2, 10])
    [10]
    """

    name: str
    folder: Path
    versions: tuple[int, ...] = ()
    newest: int = 1
    labels: Mapping[str, int] = field(default_factory=dict)

    def wanted(self, present: list[int]) -> list[int]:
        """Return which of the versions in the folder are to be served.

        Args:
            present: Numbers of the versions in the folder, ascending.
        """
        if self.versions:
            return [number for number in present if number in self.versions]
        return present[-self.newest :]


def version_folders(folder: Path) -> dict[int, Path]:
    """Return the numbered folders in `folder`, ascending; nothing where it is gone or cannot be read."""
    try:
        found = [entry for entry in folder.iterdir() if entry.name.isascii() and entry.name.isdigit()]
        return dict(sorted((int(entry.name), entry) for entry in found if entry.is_dir()))
    except OSError:
        return {}


def find_models(folder: Path) -> list[ServedModel]:
    """Return the models of a folder: an export, a folder of versions, or a folder of such folders.

    Raises:
        ValueError: There is none.
    """
    folder = Path(folder).absolute()
    if (folder / "saved_model.pb").is_file():
        if not (folder.name.isascii() and folder.name.isdigit()):
            fail("folder", str(folder), "a version, whose name is a number", "Rename it: serving/NAME/1.")
        return [ServedModel(folder.parent.name, folder.parent, (int(folder.name),))]
    if version_folders(folder):
        return [ServedModel(folder.name, folder)]
    inner = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [ServedModel(entry.name, entry) for entry in inner if entry.name[0] != "." and version_folders(entry)]
    if not found:
        advice = "Write one: ut.export.saved_model(model, 'serving/NAME/1', ...), then serve 'serving'."
        fail("folder", str(folder), "a folder NAME/VERSION/saved_model.pb", advice)
    return found
