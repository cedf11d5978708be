"""A folder imports the folders that the table names, and nothing else of unitools."""

import ast

import pytest

from tests.architecture.source_tree import PACKAGE, folders, source_files

_LOWER = {
    "core": set(),
    "data": {"core"},
    "backbones": {"core"},
    "heads": {"core"},
    "adaptation": {"core"},
    "regularization": {"core"},
    "losses": {"core"},
    "metrics": {"core"},
    "plots": {"core"},
    "callbacks": {"core", "metrics", "adaptation", "plots"},
    "training": {"core", "callbacks", "losses", "metrics"},
    "tuning": {"core", "training"},
    "export": {"core"},
    "testing": {"core"},
}
MAY_IMPORT = _LOWER | {
    "serving": {"core", "export"},
    "tasks": set(_LOWER) - {"testing"},
    "apps": {"tasks", "export", "serving"},
}
ANYTHING = {"cli", ""}  # the command line, and the files of the package itself


def imported_folders(file):
    """Return (line, folder) of every import of unitools, inside functions too; '' for `import unitools`."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = _from_names(node, file)
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "unitools":
                yield node.lineno, parts[1] if len(parts) > 1 else ""


def _from_names(node, file):
    base = node.module or ""
    if node.level:
        here = ["unitools", *file.path.relative_to(file.root).parts[:-1]]
        base = ".".join([*here[: len(here) - node.level + 1], *filter(None, [node.module])])
    return [f"unitools.{alias.name}" for alias in node.names] if base == "unitools" else [base]


def forbidden_imports(root):
    """Return a line for every import that the table does not allow."""
    found = []
    for file in source_files(root):
        if file.folder in ANYTHING:
            continue
        allowed = MAY_IMPORT.get(file.folder, set()) | {file.folder}
        found += [
            f"{file.label}:{line} imports unitools.{folder}".rstrip(".")
            for line, folder in imported_folders(file)
            if folder not in allowed
        ]
    return found


def test_imports_follow_the_table():
    assert forbidden_imports(PACKAGE) == []


def test_every_folder_is_in_the_table():
    assert set(folders()) <= set(MAY_IMPORT) | ANYTHING


def test_table_has_no_cycle():
    remaining = dict(MAY_IMPORT)
    while remaining:
        leaves = [name for name, needs in remaining.items() if not needs & set(remaining)]
        assert leaves, f"a cycle among {sorted(remaining)}"
        for name in leaves:
            del remaining[name]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from unitools.heads import Classifier", True),
        ("import unitools.heads.classifier as c", True),
        ("from unitools import heads", True),
        ("import unitools as ut", True),
        ("from ..heads import Classifier", True),
        ("def f():\n    from unitools.training import compile", True),
        ("from unitools.core.checks import check_integer", False),
        ("from unitools.data.batches import Batches", False),
        ("from .batches import Batches", False),
        ("import unitoolset", False),
    ],
)
def test_forbidden_edges_are_found(tmp_path, line, found):
    folder = tmp_path / "unitools" / "data"
    folder.mkdir(parents=True)
    (folder / "made_up.py").write_text(line + "\n")
    assert bool(forbidden_imports(tmp_path / "unitools")) == found
