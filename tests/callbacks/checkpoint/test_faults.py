"""Faults of disk and files: what is not whole is passed over with a reason, and training is not lost."""

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import unitools as ut
from unitools.callbacks.checkpoint import checkpoint_store
from unitools.callbacks.checkpoint.checkpoint import Checkpoint
from unitools.callbacks.checkpoint.checkpoint_store import CheckpointStore

FILES = ["model.safetensors", "optimizer.safetensors", "metrics.safetensors", "state.json", "manifest.json"]


@pytest.fixture
def store(tmp_path):
    """Return a store of two checkpoints."""
    store = CheckpointStore(str(tmp_path / "run"), 3)
    store.open()
    for step in (5, 10):
        groups = {
            name: {"0 kernel": np.full((40, 5), step, "float32")}
            for name in ("model", "optimizer", "metrics", "callbacks")
        }
        store.save(Checkpoint(0, step, groups, {"history": [0.5] * 20}))
    yield store
    store.close()


def newest_folder(store):
    return Path(str(store)) / "epoch-00000-step-00000010"


def assert_falls_back(store, reason):
    found, skipped = store.newest()
    assert (found.epoch, found.step) == (0, 5)
    np.testing.assert_array_equal(found.arrays["model"]["0 kernel"], np.full((40, 5), 5))
    assert len(skipped) == 1
    assert reason in skipped[0]


@pytest.mark.parametrize("name", FILES)
def test_missing_part(store, name):
    (newest_folder(store) / name).unlink()
    assert_falls_back(store, "no manifest" if name == "manifest.json" else f"{name} is missing")


@pytest.mark.parametrize("name", FILES)
def test_truncated(store, name):
    file = newest_folder(store) / name
    os.truncate(file, file.stat().st_size // 2)
    assert_falls_back(store, "manifest cannot be read" if name == "manifest.json" else f"{name} has")


@pytest.mark.parametrize("name", FILES)
def test_empty(store, name):
    os.truncate(newest_folder(store) / name, 0)
    assert_falls_back(store, "manifest cannot be read" if name == "manifest.json" else f"{name} has 0 bytes")


@pytest.mark.parametrize("name", FILES)
def test_flipped_bit(store, name):
    """Any bit: none makes another run of it."""
    file = newest_folder(store) / name
    content = bytearray(file.read_bytes())
    for place in np.random.default_rng(0).integers(len(content) * 8, size=20):
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << (place % 8)
        file.write_bytes(flipped)
        try:
            assert_falls_back(store, "")
        except ut.callbacks.CheckpointVersionError:
            assert name == "manifest.json"  # the bit made a newer version of it


@pytest.mark.parametrize(
    "content", ["[]", "null", "{}", '{"format": 1}', '{"format": 1, "files": 3, "sha256": ""}', "{\ufeff"]
)
def test_strange_manifest(store, content):
    (newest_folder(store) / "manifest.json").write_text(content)
    assert_falls_back(store, "manifest")


def test_strange_entries(store):
    """A file in a checkpoint's place, an empty folder, a folder in a file's place."""
    folder = newest_folder(store)
    shutil.rmtree(folder)
    folder.write_text("no folder")
    assert_falls_back(store, "manifest")
    folder.unlink()
    folder.mkdir()
    assert_falls_back(store, "no manifest")
    (folder / "manifest.json").mkdir()
    assert_falls_back(store, "manifest cannot be read")


def test_newer_version(store):
    """No fall-back: an older checkpoint would undo what the newer version has trained."""
    manifest = newest_folder(store) / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format": 2}))
    with pytest.raises(ut.callbacks.CheckpointVersionError, match="format 1 or older. Received format 2"):
        store.newest()


def test_unfinished_is_cleared(store):
    left = Path(str(store)) / ".writing-1-epoch-00000-step-00000015"
    left.mkdir()
    (left / "model.safetensors").write_bytes(b"half")
    store.close()
    store.open()
    assert not left.exists()
    assert store.newest()[0].step == 10


def model():
    keras.utils.set_random_seed(1)
    net = keras.Sequential([keras.Input((2,)), keras.layers.Dense(200), keras.layers.Dense(1)])
    net.compile("adam", "mse")
    return net


def fit(folder, epochs=2, **settings):
    x, y = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")
    net = model()
    resume = ut.callbacks.ExactResume(str(folder), **{"every": 1} | settings)
    history = net.fit(x, y, batch_size=2, epochs=epochs, shuffle=False, verbose=0, callbacks=[resume]).history
    return history["loss"], [weight.tolist() for weight in net.get_weights()]


def test_none_is_whole(tmp_path):
    fit(tmp_path)
    for manifest in tmp_path.glob("*/manifest.json"):
        manifest.unlink()
    with pytest.raises(ut.callbacks.CheckpointError, match="none of 3 is: .*no manifest.*begin anew"):
        fit(tmp_path)


def test_full_disk(tmp_path, capsys):
    """As one process meets it: no file may grow over 2 kB. Training goes on, and its end is the same."""
    expected = fit(tmp_path / "whole")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    capsys.readouterr()
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        found = fit(tmp_path / "full")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert found == expected
    assert "could not be written" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "full").iterdir()] == [".lock"]
    assert fit(tmp_path / "full") == expected


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT, errno.ESTALE])
@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_the_system_refuses_for_a_while(tmp_path, monkeypatch, capsys, number, call):
    """Four checkpoints are lost, those before and after are not."""
    expected, own, calls = fit(tmp_path / "whole"), getattr(os, call), []

    def refused(*arguments):
        calls.append(call)
        if len(list((tmp_path / "run").glob("epoch-*"))) >= 2 and len(calls) < 40:
            raise OSError(number, os.strerror(number))
        return own(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, refused)
        assert fit(tmp_path / "run") == expected
    assert os.strerror(number) in capsys.readouterr().out
    assert fit(tmp_path / "run") == expected


def test_folders_that_cannot_be(tmp_path, monkeypatch):
    """Said before the first step."""
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "run", tmp_path / ("n" * 300)):
        with pytest.raises(ut.callbacks.CheckpointError, match="Training has not begun"):
            fit(folder)

    def read_only(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(checkpoint_store.os, "open", read_only)
    with pytest.raises(ut.callbacks.CheckpointError, match="Read-only"):
        fit(tmp_path / "run")


def test_another_process_trains_into_it(tmp_path):
    """Its lock is let go when it dies, however it dies."""
    hold = "import fcntl, os, sys, time; f = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT);"
    hold += "fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); time.sleep(60)"
    other = subprocess.Popen([sys.executable, "-c", hold, str(tmp_path / ".lock")], stdout=subprocess.PIPE, text=True)
    with other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ut.callbacks.CheckpointError, match="no other process"):
            fit(tmp_path)
        other.kill()
    assert len(fit(tmp_path)[0]) == 2


def test_states_that_no_file_holds(tmp_path):
    class Odd(keras.callbacks.Callback):
        def get_state(self):
            return {"what": object()}

        def set_state(self, state):
            raise AssertionError(state)

    resume = ut.callbacks.ExactResume(str(tmp_path), every=1)
    with pytest.raises(TypeError, match="what JSON holds.*Received a object"):
        model().fit(np.ones((4, 2)), np.ones((4, 1)), shuffle=False, verbose=0, callbacks=[Odd(), resume])
