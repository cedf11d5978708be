import errno

import pytest

from unitools.core import durable


def test_a_file_is_replaced(tmp_path):
    path = durable.write_file(tmp_path / "a.txt", b"one")
    durable.write_file(path, b"two")
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("a.txt", b"two")]


def test_a_function_writes_under_the_same_suffix(tmp_path):
    seen = []

    def write(path):
        seen.append(path.suffix)
        path.write_text("x")

    assert durable.write_file(tmp_path / "a.npz", write).read_text() == "x"
    assert seen == [".npz"]


def test_a_failure_keeps_the_old_file(tmp_path):
    path = durable.write_file(tmp_path / "a.txt", b"one")

    def full(path):
        path.write_bytes(b"t")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        durable.write_file(path, full)
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("a.txt", b"one")]


def test_everything_is_forced_to_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    events = []
    sync, rename = durable.sync, durable.os.rename
    monkeypatch.setattr(durable, "sync", lambda path: (events.append(path.name), sync(path)))
    monkeypatch.setattr(durable.os, "rename", lambda old, new: (events.append("rename"), rename(old, new)))
    with durable.new_folder(tmp_path / "step") as folder:
        (folder / "a").write_text("a")
        (folder / "b").write_text("b")
    assert events == ["a", "b", folder.name, "rename", tmp_path.name]
    assert sorted(entry.name for entry in (tmp_path / "step").iterdir()) == ["a", "b"]


def test_a_folder_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), durable.new_folder(tmp_path / "step") as folder:
        (folder / "a").write_text("a")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken_is_an_error(tmp_path):
    (tmp_path / "step").mkdir()
    (tmp_path / "step" / "old").write_text("old")
    with pytest.raises(OSError), durable.new_folder(tmp_path / "step") as folder:
        (folder / "new").write_text("new")
    assert [entry.name for entry in tmp_path.rglob("*")] == ["step", "old"]


def test_what_was_left_unfinished_is_cleared(tmp_path):
    (tmp_path / ".writing-1-step").mkdir()
    (tmp_path / ".writing-1-step" / "a").write_text("a")
    (tmp_path / ".writing-1-b.txt").write_text("b")
    (tmp_path / "kept").write_text("c")
    assert len(durable.clear_unfinished(tmp_path)) == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["kept"]
