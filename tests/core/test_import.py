"""`import unitools` is cheap: it loads neither TensorFlow nor Keras, and finds its folders when they are named."""

import subprocess
import sys

import pytest

import unitools
from tests.architecture.source_tree import PACKAGE, REPOSITORY, folders

HEAVY = ("tensorflow", "keras", "keras_hub", "numpy", "matplotlib", "sklearn")


def test_import_loads_nothing_heavy():
    program = f"import sys, unitools; print([name for name in {HEAVY} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_folders_resolve_when_named():
    assert set(folders()) - {"cli"} == set(unitools.__all__) - {"__version__"}
    assert unitools.core.Component.__module__ == "unitools.core.component"


def test_unknown_folder_is_a_named_error():
    with pytest.raises(AttributeError, match="no attribute 'nowhere'; its folders are .*core"):
        _ = unitools.nowhere


def test_version_is_the_files():
    assert unitools.__version__ == (PACKAGE / "version.txt").read_text().strip()
