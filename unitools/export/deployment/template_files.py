"""The files that a bundle is made of, with values put in."""

import importlib.resources
from collections.abc import Mapping
from pathlib import Path
from string import Template

SUFFIX = ".template"
_ROOT = importlib.resources.files("unitools.export.deployment") / "templates"


def write_templates(target: str, values: Mapping[str, str], folder: Path) -> None:
    """Write every template of `target` into `folder`.

    Args:
        target: Folder below templates/.
        values: What stands for $name. Checked by whoever gives them: they are put in as they are.
        folder: Where to.

    Raises:
        KeyError: A template asks for a value that is not given.
    """
    root = _ROOT / target
    for source in _files(root):
        name = source[-1].removesuffix(SUFFIX)
        file = folder.joinpath(*source[:-1], f".{name[4:]}" if name.startswith("dot-") else name)
        file.parent.mkdir(parents=True, exist_ok=True)
        text = root.joinpath(*source).read_text(encoding="utf-8")
        file.write_text(Template(text).substitute(values), encoding="utf-8")


def read_template(*parts: str) -> str:
    """Return the text of a template as it is.

    Args:
        *parts: Folders below templates/, and the name without its suffix.
    """
    return _ROOT.joinpath(*parts[:-1], parts[-1] + SUFFIX).read_text(encoding="utf-8")


def _files(root, parts=()):
    for entry in sorted(root.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _files(entry, (*parts, entry.name))
        elif entry.name.endswith(SUFFIX):
            yield (*parts, entry.name)


def indented(text: str, spaces: int) -> str:
    """Return `text` as the block of a YAML string."""
    return "\n".join(" " * spaces + line if line else "" for line in text.rstrip("\n").splitlines())
