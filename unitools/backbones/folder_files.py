"""What is known about a model's folder before a model is built."""

import json
from pathlib import Path

from unitools.backbones.file_checks import check_file, check_sha256
from unitools.backbones.weights_file_error import WeightsFileError
from unitools.core.checks import fail

_WEIGHTS = ("model.weights.h5", "model.safetensors")
_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "vocabulary.txt")


def folder_config(folder: Path) -> dict:
    """Return the folder's `config.json`."""
    path = check_file(folder / "config.json")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise WeightsFileError(f"{path} is no JSON: {error}. Expected the description of a model.") from error
    if not isinstance(config, dict):
        raise WeightsFileError(f"{path} holds {type(config).__name__}, expected the description of a model.")
    return config


def check_folder(folder: Path, request) -> None:
    """Check the hashes of the folder's files, and that the weights are not a pointer or a web page."""
    present = [folder / name for name in _WEIGHTS if (folder / name).exists()]
    for path in present:
        check_file(path)
    if request.sha256 is None or not request.pretrained:
        return
    hashes = request.sha256
    if isinstance(hashes, str):
        if len(present) != 1:
            fail(
                "sha256", hashes, f"a mapping from file name to hash for {folder}", "It has not just one weights file."
            )
        hashes = {present[0].name: hashes}
    for name, digest in hashes.items():
        if not (folder / name).is_file():
            raise WeightsFileError(f"No file {name} in {folder}, for which `sha256` gives a hash. Check its name.")
        check_sha256(folder / name, digest)


def tokenizer_folder(folder: Path) -> Path | None:
    """Return where the folder's tokenizer lies: in itself, or where keras-hub puts it. None if it has none."""
    for place in (folder, folder / "assets" / "tokenizer"):
        if any((place / name).is_file() for name in _TOKENIZERS):
            return place
    return None
