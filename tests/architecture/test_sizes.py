"""Files and functions stay small enough to be read at once."""

import ast

import pytest

from tests.architecture.source_tree import REPOSITORY, source_files

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40
FILES = [*source_files(), *source_files(REPOSITORY / "tests")]


def function_lines(node):
    """Return the number of lines of a function, its docstring not counted."""
    lines = node.end_lineno - node.lineno + 1
    if ast.get_docstring(node) is None:
        return lines
    return lines - (node.body[0].end_lineno - node.body[0].lineno + 1)


def long_functions(file):
    lengths = {f"{file.label}:{node.lineno} {node.name}": function_lines(node) for node in file.functions()}
    return {name: length for name, length in lengths.items() if length > MAX_FUNCTION_LINES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.label)
def test_sizes(file):
    assert len(file.text.splitlines()) <= MAX_FILE_LINES
    assert long_functions(file) == {}


def test_long_functions_are_found(tmp_path):
    body = "    x = 1\n" * MAX_FUNCTION_LINES
    (tmp_path / "long.py").write_text("def long():\n" + body)
    docstring = '    """One.\n' + "\n" * 50 + '    """\n'
    (tmp_path / "short.py").write_text("def short():\n" + docstring + body[: -len("    x = 1\n")])
    found = {file.path.name: list(long_functions(file).values()) for file in source_files(tmp_path)}
    assert found == {"long.py": [MAX_FUNCTION_LINES + 1], "short.py": []}
