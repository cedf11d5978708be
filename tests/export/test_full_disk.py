"""A disk that is full, for real: a small file system, and a limit on the size of files."""

import contextlib
import errno
import os
import re
import resource
import subprocess

import keras
import numpy as np
import pytest

import unitools as ut
from unitools.export.full_disk import telling_of_a_full_disk

MEGABYTE = 2**20


def model(units=500):
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((1000,), name="x"), keras.layers.Dense(units, name="y")])


def export(path, units=500, **options):
    return ut.export.saved_model(model(units), path, "arrays", **{"fresh_process": False} | options)


def names_in(folder):
    return sorted(entry.name for entry in folder.iterdir())


@contextlib.contextmanager
def largest_file(size):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def small_disk(tmp_path):
    """Return the root of a file system of 4 MB."""
    root = tmp_path / "disk"
    root.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(root)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    yield root
    subprocess.run(["umount", str(root)], check=True)


@pytest.mark.parametrize("size", [0, 2_000, MEGABYTE])  # the variables are 2 MB
def test_a_limit_on_files(tmp_path, size):
    with largest_file(size), pytest.raises(OSError, match="`path` must lie on a disk with room") as caught:
        export(tmp_path / "m" / "1")
    assert caught.value.errno == errno.EFBIG and os.strerror(errno.EFBIG) in str(caught.value)
    assert names_in(tmp_path / "m") == []
    assert "ulimit -f" in str(caught.value)
    export(tmp_path / "m" / "1")  # with room it goes


def test_a_full_disk_says_how_much_there_was(small_disk):
    """6 MB of variables."""
    available = os.statvfs(small_disk).f_bavail * 4096
    with pytest.raises(OSError, match="make room. Or give another path. Nothing was left behind") as caught:
        export(small_disk / "1", units=1500)
    assert caught.value.errno == errno.ENOSPC
    (told,) = re.findall(r"more than the ([\d,]+) bytes", str(caught.value))
    assert int(told.replace(",", "")) == pytest.approx(available, rel=0.01)
    assert names_in(small_disk) == []


def pages(folder):
    """Return {file: pages of 4 KiB that it takes}."""
    return {file: -(-file.stat().st_size // 4096) for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("lacking", [1, 2, 3, 4, 6, 50, 1000])
def test_an_old_export_is_kept_whatever_does_not_fit(small_disk, lacking):
    """The manifest, which comes last, then the card, and so on, down to all files."""
    export(small_disk / "1", units=100, warm_up=0)
    before = {file: file.read_bytes() for file in pages(small_disk)}
    room = max(sum(pages(small_disk).values()) - lacking, 0)
    filling = small_disk / "filling"
    filling.write_bytes(b"x" * 4096 * (os.statvfs(small_disk).f_bavail - room))
    assert os.statvfs(small_disk).f_bavail == room
    with pytest.raises(OSError, match="`path` must lie on a disk with room") as caught:
        export(small_disk / "1", units=100, warm_up=0, overwrite=True)
    assert caught.value.errno == errno.ENOSPC
    assert names_in(small_disk) == ["1", "filling"]
    assert os.statvfs(small_disk).f_bavail == room
    assert {file: file.read_bytes() for file in pages(small_disk / "1")} == before
    artefact = ut.export.load(small_disk / "1")
    assert artefact({"x": np.zeros((1, 1000), np.float32)})["y"].shape == (1, 100)
    filling.unlink()
    export(small_disk / "1", units=100, overwrite=True)
    assert names_in(small_disk) == ["1"]


def test_the_records_of_a_server_do_not_fit(small_disk):
    """They are written by TensorFlow's own writer: 4 MB of examples for a model of a few bytes."""
    small = keras.Sequential([keras.Input((1000, 200), name="x"), keras.layers.GlobalAveragePooling1D()])
    with pytest.raises(OSError, match="`path` must lie on a disk with room"):
        ut.export.saved_model(small, small_disk / "1", "arrays", fresh_process=False)
    assert names_in(small_disk) == []
    ut.export.saved_model(small, small_disk / "1", "arrays", fresh_process=False, warm_up=0)


def test_other_errors_stay_what_they_are(tmp_path):
    for error in (PermissionError(errno.EACCES, "no"), ValueError("x"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught, telling_of_a_full_disk(tmp_path, tmp_path / "1"):
            raise error
        assert caught.value is error
