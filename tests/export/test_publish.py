"""A folder appears whole or not at all, also after a kill."""

import os
import socket

import pytest

from unitools.export import publish
from unitools.export.publish import publishing

DEAD = 2**22 + 1  # above Linux' largest process id


def names_in(folder):
    return sorted(entry.name for entry in folder.iterdir())


def left_by_the_dead(path, purpose):
    folder = path.with_name(f".{path.name}.{purpose}-{socket.gethostname()}-{DEAD}")
    folder.mkdir()
    (folder / "file").write_text(purpose)
    return folder


def test_appears_whole(tmp_path):
    with publishing(tmp_path / "new" / "1") as folder:
        (folder / "file").write_text("x")
        assert not (tmp_path / "new" / "1").exists()
    assert names_in(tmp_path / "new") == ["1"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_any_error_leaves_nothing(tmp_path, error):
    with pytest.raises(error), publishing(tmp_path / "1") as folder:
        (folder / "file").write_text("x")
        raise error
    assert names_in(tmp_path) == []


def test_what_appears_meanwhile_is_not_overwritten(tmp_path):
    with pytest.raises(FileExistsError), publishing(tmp_path / "1"):
        (tmp_path / "1").mkdir()
    assert names_in(tmp_path) == ["1"]


def test_old_folder_comes_back_when_the_rename_fails(tmp_path, monkeypatch):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "old").write_text("x")
    rename = os.rename

    def failing(source, target):
        if ".partial-" in str(source):
            raise OSError("disk full")
        rename(source, target)

    monkeypatch.setattr(publish.os, "rename", failing)
    with pytest.raises(OSError, match="disk full"), publishing(tmp_path / "1", overwrite=True):
        pass
    assert names_in(tmp_path) == ["1"] and names_in(tmp_path / "1") == ["old"]


def test_leftovers_of_a_killed_process_are_cleared(tmp_path):
    left_by_the_dead(tmp_path / "1", "partial")
    running = tmp_path / f".1.partial-{socket.gethostname()}-{os.getppid()}"
    running.mkdir()
    with publishing(tmp_path / "1"):
        pass
    assert names_in(tmp_path) == sorted([running.name, "1"])


def test_an_export_moved_aside_by_a_killed_process_comes_back(tmp_path):
    left_by_the_dead(tmp_path / "1", "replaced")
    with pytest.raises(FileExistsError), publishing(tmp_path / "1"):
        pass
    assert (tmp_path / "1" / "file").read_text() == "replaced"
