"""The examples in public docstrings run. Those of registered components run in tests/conformance."""

import inspect

import pytest

from tests.architecture.public_names import public_objects
from unitools.core import registered_components
from unitools.testing.checks.documentation import run_examples

PUBLIC = public_objects()


def _with_examples():
    components = set(registered_components().values())
    return [name for name, value in PUBLIC.items() if value not in components and ">>>" in (value.__doc__ or "")]


@pytest.mark.parametrize("name", _with_examples())
def test_example_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_examples(inspect.getdoc(PUBLIC[name]), name) == ""


def test_a_wrong_example_is_found():
    assert "Expected:\n    3" in run_examples(">>> 1 + 1\n3", "made_up")
