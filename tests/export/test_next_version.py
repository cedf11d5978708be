"""Numbers of versions, and exporters that want the same one."""

import subprocess
import sys
import threading

import keras
import pytest
import tensorflow as tf

import unitools as ut
from unitools.export import publish
from unitools.export.publish import publishing


def names_in(folder):
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize(
    ("present", "number"),
    [
        ([], "1"),
        (["1"], "2"),
        (["9", "10"], "11"),
        (["3", "1"], "4"),
        (["007"], "8"),  # TensorFlow Serving reads it as 7
        (["1", ".2.partial-host-77", ".5", "latest", "3.tmp", "-4", "٣"], "2"),
    ],
)
def test_one_above_the_highest(tmp_path, present, number):
    for name in present:
        (tmp_path / name).mkdir()
    assert ut.export.next_version(str(tmp_path)) == tmp_path / number


def test_a_number_that_is_taken_by_a_file_or_half_written_is_not_given(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "2").write_text("")
    assert ut.export.next_version(tmp_path).name == "3"


def test_nothing_is_written(tmp_path):
    assert ut.export.next_version(tmp_path / "new" / "flowers") == tmp_path / "new" / "flowers" / "1"
    assert names_in(tmp_path) == []


def test_folders_that_hold_no_versions(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="It is a file"):
        ut.export.next_version(tmp_path / "file")


def test_exports_count_up(tmp_path):
    model = keras.Sequential([keras.Input((1,), name="x"), keras.layers.Dense(1)])
    for number in (1, 2):
        report = ut.export.saved_model(model, ut.export.next_version(tmp_path / "m"), "arrays", fresh_process=False)
        assert report.path == str(tmp_path / "m" / str(number))
    with pytest.raises(ValueError, match=r"It is an export. Give '.*m'"):
        ut.export.next_version(tmp_path / "m" / "1")
    assert sorted(tf.saved_model.load(str(tmp_path / "m" / "2")).signatures) == ["serving_arrays", "serving_default"]


OTHER = """
import sys
from unitools.export.publish import publishing
with publishing(sys.argv[1]) as folder:
    (folder / "who").write_text(sys.argv[2])
    print("writes", flush=True)
    sys.stdin.readline()
"""


def test_of_two_processes_the_later_is_told(tmp_path):
    """Both begin while the name is free."""
    target = ut.export.next_version(tmp_path)
    command = [sys.executable, "-c", OTHER, str(target)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen([*command, name], **pipes) for name in ("first", "second")]
    for process in both:
        assert process.stdout.readline() == "writes\n"
    errors = [process.communicate("\n", timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 1]
    assert "FileExistsError: `path` must be a name that is free" in errors[1]
    assert names_in(tmp_path) == ["1"]
    assert (tmp_path / "1" / "who").read_text() == "first"
    assert ut.export.next_version(tmp_path).name == "2"


def test_a_folder_that_appears_at_the_last_moment_is_kept(tmp_path, monkeypatch):
    rename = publish.os.rename

    def late(source, target):
        (tmp_path / "1").mkdir()
        (tmp_path / "1" / "theirs").write_text("x")
        rename(source, target)

    monkeypatch.setattr(publish.os, "rename", late)
    with pytest.raises(FileExistsError, match="which exists"), publishing(tmp_path / "1") as folder:
        (folder / "ours").write_text("x")
    assert names_in(tmp_path) == ["1"] and names_in(tmp_path / "1") == ["theirs"]


def test_of_two_threads_the_second_is_told_and_the_first_is_kept(tmp_path):
    writes, may_end = threading.Event(), threading.Event()

    def first():
        with publishing(tmp_path / "1") as folder:
            (folder / "file").write_text("first")
            writes.set()
            may_end.wait(20)

    thread = threading.Thread(target=first)
    thread.start()
    assert writes.wait(20)
    with pytest.raises(FileExistsError, match="another thread"), publishing(tmp_path / "1"):
        pass
    may_end.set()
    thread.join()
    assert names_in(tmp_path) == ["1"] and (tmp_path / "1" / "file").read_text() == "first"
    with pytest.raises(FileExistsError, match="which exists"), publishing(tmp_path / "1"):
        pass
