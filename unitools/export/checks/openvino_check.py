"""Look at an OpenVINO model as XML, before a runtime opens it."""

import math
from collections.abc import Collection
from pathlib import Path
from xml.etree import ElementTree

from unitools.export.unsafe_artefact_error import UnsafeArtefactError

_BITS = {"boolean": 8, "bf16": 16, "string": 128}


def check_openvino(file: Path, allow_ops: Collection[str] = ()) -> int:
    """Raise unless the model is of standard operations and its numbers lie in model.bin; return the bytes it declares.

    Args:
        file: model.xml.
        allow_ops: Names of operations of other sets that are allowed besides.

    Raises:
        UnsafeArtefactError: It cannot be read, names what lies outside model.bin, or holds another operation.
    """
    content = file.read_bytes()
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise UnsafeArtefactError(f"{file} must not define entities, which may grow without end. Export again.")
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, RecursionError) as error:
        raise UnsafeArtefactError(f"{file} must be the XML of OpenVINO. It cannot be read: {error}") from error
    weights = file.with_suffix(".bin")
    size = weights.stat().st_size if weights.is_file() else 0
    return sum(_declared(layer, size, file, allow_ops) for layer in root.iter("layer"))


def _declared(layer, size, file, allow_ops):
    kind, origin = layer.get("type", ""), layer.get("version", "")
    if not origin.startswith("opset") and kind not in allow_ops:
        raise UnsafeArtefactError(
            f"{file} must hold operations of OpenVINO's sets. It holds {kind} of {origin or 'no set'}. If your runtime "
            f"has it, give allow_ops=({kind!r},)."
        )
    if kind != "Const":
        return 0
    try:
        data = layer.find("data").attrib
        offset, length = int(data["offset"]), int(data["size"])
        shape = [int(side) for side in data.get("shape", "").split(",") if side.strip()]
    except (AttributeError, KeyError, ValueError) as error:
        raise UnsafeArtefactError(f"{file} must say where each constant lies. {error!r}. Export again.") from error
    if offset < 0 or length < 0 or offset + length > size or min(shape, default=0) < 0:
        raise UnsafeArtefactError(f"{file} must name what lies in model.bin. A constant leaves it. Export again.")
    return max(length, math.prod(shape) * _bits(data.get("element_type", "")) // 8)


def _bits(kind):
    digits = kind.lstrip("abcdefghijklmnopqrstuvwxyz").partition("e")[0]
    return _BITS.get(kind) or (int(digits) if digits.isdigit() else 64)
