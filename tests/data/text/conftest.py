"""Files made on the fly."""

import pytest


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a file, and returns its path."""

    def to_file(content, name="file.txt"):
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return to_file
