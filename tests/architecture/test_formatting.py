"""ruff finds nothing, in style and in format."""

import subprocess
import sys

import pytest

from tests.architecture.source_tree import REPOSITORY

# Not docs/: newer versions of ruff format the code in Markdown too, older ones do not.
CODE = ["setup.py", "unitools", "tests"]


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff(command):
    result = subprocess.run(
        [sys.executable, "-m", "ruff", *command, *CODE], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
