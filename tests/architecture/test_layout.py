"""Where things lie: the top level, one public class a file, a page a folder."""

import ast
import re
import subprocess

import pytest

from tests.architecture.source_tree import PACKAGE, REPOSITORY, folders, source_files

TOP_LEVEL = {"setup.py", "README.md", "unitools", "notebooks", "tests", "docs", "LICENSE"}


def snake_case(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def misplaced_classes(file):
    """Return the public classes of a file that is not named after them. An error may stand beside what raises it."""
    classes = [node.name for node in file.public(ast.ClassDef)]
    main = [name for name in classes if not name.endswith("Error")]
    if not main and not file.public(ast.FunctionDef):
        main = classes  # a file of errors only
    return [name for name in main if len(main) > 1 or snake_case(name) != file.path.stem]


def test_top_level_is_as_designed():
    if not (REPOSITORY / ".git").exists():
        pytest.skip("needs a git checkout, to know which files belong to the repository")
    listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    names = {line.partition("/")[0].strip('"') for line in listed.splitlines()}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


@pytest.mark.parametrize("file", source_files(), ids=lambda file: file.label)
def test_a_file_holds_one_public_class_and_has_its_name(file):
    assert misplaced_classes(file) == []


@pytest.mark.parametrize("name", ["AdamWRecipe", "CTCLoss", "ImageFolder", "RandAugment"])
def test_snake_case(name):
    assert snake_case(name) == {"AdamWRecipe": "adam_w_recipe", "CTCLoss": "ctc_loss"}.get(
        name, re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
    )


def test_misplaced_classes_are_found(tmp_path):
    (tmp_path / "scale.py").write_text("class Scale: pass\nclass Shift: pass\n")
    (tmp_path / "other.py").write_text("class Scale: pass\n")
    (tmp_path / "shift.py").write_text("class Shift: pass\nclass ShiftError(ValueError): pass\nclass _Part: pass\n")
    found = {file.path.name: misplaced_classes(file) for file in source_files(tmp_path)}
    assert found == {"scale.py": ["Scale", "Shift"], "other.py": ["Scale"], "shift.py": []}


@pytest.mark.parametrize("folder", folders())
def test_a_folder_lists_its_public_names(folder):
    tree = ast.parse((PACKAGE / folder / "__init__.py").read_text(encoding="utf-8"))
    targets = [target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    assert "__all__" in targets


@pytest.mark.parametrize("folder", folders())
def test_a_folder_has_a_page(folder):
    assert (REPOSITORY / "docs" / f"{folder}.md").is_file()


def test_types_are_shipped():
    assert (PACKAGE / "py.typed").is_file()
    assert "py.typed" in (REPOSITORY / "setup.py").read_text(encoding="utf-8")
