"""unitools: Keras components from pretrained base model to verified, served application.

Importing the package loads neither TensorFlow nor Keras. Each public folder (`unitools.data`, `unitools.backbones`,
...) is imported when it is first named.
"""

import importlib
from pathlib import Path

__version__ = Path(__file__).with_name("version.txt").read_text(encoding="utf-8").strip()

_FOLDERS = frozenset(
    path.parent.name for path in Path(__file__).parent.glob("*/__init__.py") if path.parent.name != "cli"
)

__all__ = ["__version__", *sorted(_FOLDERS)]


def __getattr__(name):
    if name in _FOLDERS:
        return importlib.import_module(f"{__name__}.{name}")
    folders = ", ".join(sorted(_FOLDERS))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; its folders are {folders}")


def __dir__():
    return sorted({*globals(), *_FOLDERS})
