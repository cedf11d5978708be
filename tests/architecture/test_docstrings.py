"""Public names say what they do: docstrings with every argument, and type hints."""

import ast
import inspect

import pytest

from tests.architecture.public_names import public_objects
from tests.architecture.source_tree import source_files
from unitools.testing.arguments import argument_defaults
from unitools.testing.checks.documentation import undocumented

PUBLIC = public_objects()
UNHINTED = ("self", "cls", "args", "kwargs")


def parameters(value):
    """Return the names of the arguments to document: a function's, or a constructor's up to the Keras base class."""
    if inspect.isclass(value):
        return [] if value.__init__ is object.__init__ else list(argument_defaults(value))
    named = inspect.signature(value).parameters.values()
    return [item.name for item in named if item.kind not in (item.VAR_POSITIONAL, item.VAR_KEYWORD)]


def without_hints(value):
    """Return the parameters of a public signature that have no type hint, and 'return' for a function's result."""
    function = value.__init__ if inspect.isclass(value) else value
    if not inspect.isfunction(function):
        return []
    signature = inspect.signature(function)
    missing = [
        item.name
        for item in signature.parameters.values()
        if item.annotation is item.empty and item.name not in UNHINTED
    ]
    unsaid = not inspect.isclass(value) and signature.return_annotation is signature.empty
    return missing + (["return"] if unsaid else [])


@pytest.mark.parametrize("name", PUBLIC)
def test_arguments_are_documented(name):
    value = PUBLIC[name]
    text = inspect.cleandoc(vars(value).get("__doc__") or "" if inspect.isclass(value) else value.__doc__ or "")
    assert text, f"{name} has no docstring"
    if not (inspect.isclass(value) and issubclass(value, BaseException)):
        assert undocumented(text, parameters(value)) == []


@pytest.mark.parametrize("name", PUBLIC)
def test_public_signatures_have_type_hints(name):
    assert without_hints(PUBLIC[name]) == []


@pytest.mark.parametrize("file", source_files(), ids=lambda file: file.label)
def test_public_definitions_have_docstrings(file):
    assert ast.get_docstring(file.tree), f"{file.label} has no docstring"
    public = file.public(ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    assert [node.name for node in public if not ast.get_docstring(node)] == []


def test_gaps_are_found():
    def hinted(first: int, *, second: str = "") -> None:
        """Do nothing."""

    def bare(first, *, second: str = ""):
        """Do nothing.

        Args:
            first: A number, and the note second: inside its text.
        """

    assert (without_hints(hinted), without_hints(bare)) == ([], ["first", "return"])
    assert undocumented(inspect.cleandoc(bare.__doc__), parameters(bare)) == ["second"]
