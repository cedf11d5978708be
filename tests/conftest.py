"""Where the real data lies, and what must be set before TensorFlow is first imported."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SHARED = Path(__file__).resolve().parents[1].parent / "shared"


def _folder(kind):
    def find(name):
        path = SHARED / kind / name
        if not path.exists():
            pytest.skip(f"needs the folder {path}, which is absent")
        return path

    return find


@pytest.fixture(scope="session")
def shared_data():
    """Return a function from the name of a data set to its path. It skips the test where the set is absent."""
    return _folder("data")


@pytest.fixture(scope="session")
def shared_weights():
    """Return a function from the name of pretrained weights to their path. It skips the test where they are absent."""
    return _folder("weights")
