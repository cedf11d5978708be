"""Promises about the docstring."""

import contextlib
import doctest
import inspect
import re
import tempfile

from unitools.testing.arguments import argument_defaults
from unitools.testing.checks.check import promise
from unitools.testing.kinds import is_any
from unitools.testing.tensors import expect

# What every page of the documentation takes as imported.
_PREAMBLE = "import keras, numpy as np, tensorflow as tf, unitools as ut"
_OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@promise(is_any)
def arguments_are_documented(specimen):
    """The class docstring describes every argument."""
    text = inspect.cleandoc(vars(specimen.cls).get("__doc__") or "")
    expect(text, "the class has no docstring")
    missing = undocumented(text, argument_defaults(specimen.cls))
    expect(not missing, f"`Args` in the class docstring lacks {', '.join(missing)}")


@promise(is_any)
def example_runs(specimen):
    """The class docstring holds an example, and it runs."""
    text = vars(specimen.cls).get("__doc__") or ""
    expect(">>>" in text, "the class docstring holds no example (>>>)")
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # for the files that it writes
        failure = run_examples(text, specimen.label)
    expect(not failure, failure)


def undocumented(text: str, names) -> list[str]:
    """Return the names that the `Args` section of a docstring does not describe."""
    section = re.search(r"^Args:\n((?:[ \t]+.*\n|\n)*)", text + "\n", re.MULTILINE)
    heads = re.findall(r"^ {4}([\w*, ]+?)(?: \(.*\))?:", section.group(1), re.MULTILINE) if section else []
    entries = {entry.strip(" *") for head in heads for entry in head.split(",")}
    return [name for name in names if name not in entries]


def run_examples(text: str, name: str) -> str:
    """Run the examples of a docstring, and return what went wrong, or nothing.

    `keras`, `np`, `tf` and `ut` are imported beforehand.
    """
    namespace = {"__name__": "__main__"}
    exec(_PREAMBLE, namespace)
    test = doctest.DocTestParser().get_doctest(inspect.cleandoc(text), namespace, name, None, None)
    report = []
    doctest.DocTestRunner(optionflags=_OPTIONS, verbose=False).run(test, out=report.append)
    return "".join(report)
