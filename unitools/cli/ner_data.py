"""The sentences of the demo of named-entity recognition."""

from pathlib import Path

from unitools.cli.user_error import UserError
from unitools.data import ColumnText

# In the order in which names are tried: CoNLL-2003 calls its development and test files testa and testb.
_NAMES = {"train": ("train",), "dev": ("dev", "valid", "testa"), "test": ("test", "testb")}
_HELD_OUT = 0.1
_IGNORED = (".md", ".json", ".csv", ".py", ".zip", ".gz")


def open_sentences(data: Path, seed: int) -> tuple[ColumnText, ColumnText, ColumnText]:
    """Return the readers of the training, development and test sentences, tags that break their scheme repaired.

    Args:
        data: A folder, or one file, of which a tenth is held out for development and a tenth for the test.
        seed: Seed of what is held out.

    Raises:
        UserError: The folder lacks a file, or has several for one part.
    """
    if data.is_file():
        rest, test = ColumnText(data, on_error="repair").split(_HELD_OUT, seed)
        train, dev = rest.split(_HELD_OUT / (1 - _HELD_OUT), seed)
        return train, dev, test
    if not data.is_dir():
        raise UserError(f"--data must be a folder of column files, or one file. {str(data)!r} does not exist.")
    paths = {part: _file(data, part) for part in _NAMES}
    train = ColumnText(paths["train"], on_error="repair")
    held_out = (ColumnText(paths[part], tags=train.tags, on_error="repair") for part in ("dev", "test"))
    return train, *held_out


def _file(folder, part):
    """Return the one file of a part; of several with the same beginning, one in IOB2."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix not in _IGNORED)
    for name in _NAMES[part]:
        found = [path for path in files if name in path.name.split(".")]
        found = [path for path in found if "iob2" in path.name] or found
        if len(found) == 1:
            return found[0]
        if found:
            raise UserError(f"{folder} holds several files for {part}: {[path.name for path in found]}. Keep one.")
    listed = [path.name for path in files] or "nothing"
    names = " or ".join(map(repr, _NAMES[part]))
    raise UserError(f"{folder} must hold a file with {names} in its name. It holds {listed}.")
