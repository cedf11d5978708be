"""The package's sources, parsed."""

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "unitools"


@dataclass(frozen=True)
class SourceFile:
    """One file of a package: its path, folder and syntax tree."""

    path: Path
    root: Path

    @property
    def label(self):
        return self.path.relative_to(self.root.parent).as_posix()

    @property
    def folder(self):
        """The public folder the file lies in; '' for files of the package itself."""
        parts = self.path.relative_to(self.root).parts
        return parts[0] if len(parts) > 1 else ""

    @cached_property
    def text(self):
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self):
        return ast.parse(self.text)

    def public(self, *kinds):
        """Return the public definitions at the top level."""
        return [node for node in self.tree.body if isinstance(node, kinds) and not node.name.startswith("_")]

    def functions(self):
        """Return every function and method, nested ones too."""
        return [node for node in ast.walk(self.tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def source_files(root=PACKAGE):
    """Return the files of a package, or of any folder, in order."""
    return [SourceFile(path, root) for path in sorted(root.rglob("*.py"))]


def folders(root=PACKAGE):
    """Return the names of the public folders."""
    return sorted(path.parent.name for path in root.glob("*/__init__.py"))
