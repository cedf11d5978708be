"""signature.json: what an export takes and gives."""

import json
from pathlib import Path
from typing import Any

from unitools.export.unsafe_artefact_error import UnsafeArtefactError

CONTRACT = "signature.json"
LABELS = "assets/labels.txt"


def write_contract(folder: Path, content: dict[str, Any]) -> None:
    """Write signature.json."""
    (folder / CONTRACT).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_contract(folder: Path) -> dict[str, Any]:
    """Return the content of signature.json.

    Raises:
        UnsafeArtefactError: It is absent, or says nothing of signatures.
    """
    file = Path(folder) / CONTRACT
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UnsafeArtefactError(f"{file} must be JSON that an export of unitools wrote. {error}") from error
    signatures = content.get("signatures") if isinstance(content, dict) else None
    sound = isinstance(signatures, dict) and all(
        isinstance(one, dict) and all(_is_side(one.get(side)) for side in ("inputs", "outputs"))
        for one in signatures.values()
    )
    if not sound or "serving_default" not in signatures:
        raise UnsafeArtefactError(f"{file} must describe signatures, `serving_default` among them. Export again.")
    return content


def described(tensor: Any) -> dict[str, Any]:
    """Return what signature.json says of a tensor or its spec."""
    return {"dtype": tensor.dtype.name, "shape": tensor.shape.as_list()}


def image_shape(contract: dict[str, Any]) -> list[int | None] | None:
    """Return the shape `(batch, height, width, channels)` of the raw images that an export takes, or None."""
    signatures = contract["signatures"]
    name = "serving_default" if contract.get("inputs") == "images" else "serving_images"
    return signatures[name]["inputs"]["images"]["shape"] if name in signatures else None


def _is_side(side):
    return isinstance(side, dict) and all(
        isinstance(one, dict) and isinstance(one.get("dtype"), str) and isinstance(one.get("shape"), list)
        for one in side.values()
    )


def read_labels(folder: Path, contract: dict[str, Any]) -> list[str] | None:
    """Return the class names, or None."""
    if not contract.get("labels"):
        return None
    return (Path(folder) / LABELS).read_text(encoding="utf-8").splitlines()
