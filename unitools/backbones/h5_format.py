"""Weights in Keras 3 `.weights.h5` files, and in the `.weights.h5` inside a `.keras` archive."""

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from unitools.backbones.partial import compare, require_complete
from unitools.backbones.recipes import RECIPE_KEY, parse_recipe, recipe_text
from unitools.backbones.weights_file_error import WeightsFileError
from unitools.backbones.weights_report import WeightsReport

_INSIDE_KERAS = "model.weights.h5"


def save_h5(model, path: Path) -> None:
    """Write the model's weights, and its recipe where it has one."""
    model.save_weights(path)
    recipe = recipe_text(model)
    if recipe:
        with h5py.File(path, "r+") as file:
            file.attrs[RECIPE_KEY] = recipe


def load_h5(model, path: Path, allow_partial: bool, source: Path | None = None) -> WeightsReport:
    """Set the model's weights from the file. `source` is the name to use in messages."""
    source = source or path
    with tempfile.TemporaryDirectory() as folder:
        # Only Keras knows where it keeps a layer's weights, so the model's own file tells what to expect.
        own = Path(folder) / "own.weights.h5"
        model.save_weights(own)
        with _open(own, own, "r+") as expected, _open(path, source) as found:
            titles, file_titles = _titles(expected), _titles(found)
            shapes = {titles[key]: expected[key].shape for key in titles}
            file_shapes = {titles.get(key, name): found[key].shape for key, name in file_titles.items()}
            report = require_complete(compare(source, shapes, file_shapes), allow_partial)
            matched = set(report.matched)
            for key in (key for key, title in titles.items() if title in matched):
                expected[key][...] = _read(found, key, source)
        model.load_weights(own)
    return report


def h5_recipe(path: Path) -> dict | None:
    """Return the recipe the file holds, or None."""
    with _open(path, path) as file:
        text = file.attrs.get(RECIPE_KEY)
    return None if text is None else parse_recipe(text, path)


@contextmanager
def weights_inside_keras(path: Path) -> Iterator[Path]:
    """Give the weights file inside a `.keras` archive as a file of its own."""
    check_archive(path)
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        try:
            yield Path(archive.extract(_INSIDE_KERAS, folder))
        except KeyError as error:
            raise WeightsFileError(f"{path} holds no {_INSIDE_KERAS}. Expected an archive saved by Keras 3.") from error


def check_archive(path: Path) -> None:
    """Raise if a `.keras` archive is damaged. Its checksums tell."""
    try:
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise WeightsFileError(
            f"{path} is no whole .keras archive: {error}. It was cut short; fetch it again."
        ) from error
    if bad is not None:
        raise WeightsFileError(f"{path} is damaged: its part {bad} has a wrong checksum. Fetch it again.")


def _open(path, source, mode="r"):
    try:
        return h5py.File(path, mode)
    except OSError as error:
        raise WeightsFileError(
            f"{source} is no whole HDF5 file: {error}. It is damaged or was cut short; fetch it again."
        ) from error


def _read(file, key, source):
    try:
        return file[key][...]
    except OSError as error:
        raise WeightsFileError(f"{source} is damaged at {key}: {error}. Fetch it again.") from error


def _titles(file):
    """Return a readable name for each weight by its place in the file: "conv1/0 at layers/conv2d/vars/0"."""
    titles = {}

    def visit(key, item):
        if isinstance(item, h5py.Dataset) and not key.startswith("optimizer/") and "seed_generator" not in key:
            layer = item.parent.attrs.get("name", "")
            titles[key] = f"{layer} at {key}" if layer else key

    file.visititems(visit)
    return titles
