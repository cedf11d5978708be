"""Replicas and workers against one process with the joined batch; strategies that are refused."""

import contextlib
import inspect
import json
import os
import socket
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.training.distributed_run import BATCH, batches, tagger
from unitools.testing.checks.documentation import run_examples

distribution = ut.training.distribution


@pytest.fixture
def start():
    """Starts processes that train, and ends those that are left."""
    running = []

    def start(path, **settings):
        command = [sys.executable, "-W", "ignore", "-m", "tests.training.distributed_run"]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
        settings = json.dumps({"path": str(path)} | settings)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        running.append(subprocess.Popen([*command, settings], env=environment, text=True, **pipes))
        return running[-1]

    yield start
    for process in running:
        process.kill()
    for process in running:
        with process:
            pass


def results(processes, paths):
    """Wait for all, and return what they found. Where one fails, the others wait for it."""
    for process in processes:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors[-3000:]
    return [json.loads(path.read_text()) for path in paths]


def two_workers(start, folder, **settings):
    """Start two workers of one run; return them and the paths of what they will have found."""
    addresses, paths = free_addresses(2), [folder / "0", folder / "1"]
    settings |= {"kind": "multi_worker", "addresses": addresses}
    return [start(path, index=index, **settings) for index, path in enumerate(paths)], paths


def free_addresses(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("localhost", 0))
        return [f"localhost:{each.getsockname()[1]}" for each in sockets]


def one_process(loss, clip_norm=None, size=2 * BATCH, epochs=2, count=36, **fit):
    model = tagger(loss, clip_norm)
    history = model.fit(batches(size, loss, count), epochs=epochs, verbose=0, shuffle=False, **fit)
    return model.get_weights(), history.history


def assert_same(found, weights, history=None):
    for one, other in zip(found["weights"], weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-6)
    for name, values in (history or {}).items():
        np.testing.assert_allclose(found["history"][name], values, rtol=1e-4, err_msg=name)


def test_the_loop_on_two_replicas_equals_one_big_batch(start, tmp_path):
    """Uneven tokens, two micro-batches of two replicas each, clipped as a whole; at last a replica without examples."""
    path = tmp_path / "run"
    settings = {"loss": "tokens", "clip_norm": 0.2, "epochs": 2, "loop": {"accumulate_steps": 2, "steps_per_call": 2}}
    found = results([start(path, kind="mirrored", count=33, **settings)], [path])[0]
    assert_same(found, one_process("tokens", 0.2, size=4 * BATCH, count=33)[0])


def test_two_workers_equal_one_process_with_the_joined_batch(start, tmp_path):
    """By `fit`, with validation: 36 examples are four full batches and a smaller one in each worker."""
    first, second = results(*two_workers(start, tmp_path, loss="mean", epochs=2))
    assert first["weights"] == second["weights"]
    assert first["history"] == second["history"]
    weights, history = one_process("mean", validation_data=batches(2 * BATCH, "mean"))
    assert_same(first, weights, history)


@pytest.mark.slow
def test_the_loop_of_two_workers_equals_one_big_batch(start, tmp_path):
    settings = {"loss": "tokens", "clip_norm": 0.2, "epochs": 2, "loop": {"accumulate_steps": 2, "steps_per_call": 3}}
    first, second = results(*two_workers(start, tmp_path, **settings))
    assert first == second
    assert_same(first, one_process("tokens", 0.2, size=4 * BATCH)[0])


@pytest.mark.slow
@pytest.mark.parametrize("killed", [0, 1])
def test_a_killed_worker_is_an_error_on_the_other(start, tmp_path, killed):
    runs, paths = two_workers(start, tmp_path, loss="mean", epochs=100_000)
    for run in runs:
        assert run.stdout.readline().startswith("epoch")
    runs[killed].kill()
    left = 1 - killed
    _, errors = runs[left].communicate(timeout=60)  # the promise: 60 s
    assert runs[left].returncode == 0, errors[-3000:]
    assert json.loads(paths[left].read_text()) == {"error": "UnavailableError"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("killed", "settings"),
    [
        (1, {"loss": "mean"}),
        (0, {"loss": "mean", "loop": {"steps_per_call": 1}}),
        (1, {"loss": "tokens", "clip_norm": 0.2, "loop": {"accumulate_steps": 3}}),
    ],
    ids=["fit", "chief", "accumulating"],
)
def test_workers_of_which_one_was_killed_go_on(start, tmp_path, killed, settings):
    """Both are started again, and end as if nothing had been: an accumulation that was cut, within rounding."""
    settings |= {"epochs": 8}
    whole = results(*two_workers(start, tmp_path, **settings))
    settings["resume"] = {"folder": str(tmp_path / "run"), "every": 2}
    runs, paths = two_workers(start, tmp_path, **settings)
    assert runs[killed].stdout.readline().startswith("epoch")
    runs[killed].kill()
    runs[1 - killed].communicate(timeout=60)
    assert json.loads(paths[1 - killed].read_text()) == {"error": "UnavailableError"}
    runs, paths = two_workers(start, tmp_path, **settings)
    for run in runs:
        assert "goes on at epoch" in run.stdout.readline()
    first, second = results(runs, paths)
    assert first == second
    assert len(first["history"]["loss"]) == 8
    assert_same(first, whole[0]["weights"], whole[0]["history"])
    if "accumulate_steps" not in settings.get("loop", {}):
        assert first == whole[0]


@pytest.mark.slow
def test_workers_of_which_one_is_told_to_end_leave_together(start, tmp_path):
    """By SIGTERM to one, with a disk slower than the steps: all save at one step, and go on from it."""
    settings = {"loss": "mean", "epochs": 8}
    whole = results(*two_workers(start, tmp_path, **settings))
    settings |= {"resume": {"folder": str(tmp_path / "run"), "every": 2}, "fsync_s": 0.05}
    runs, _ = two_workers(start, tmp_path, **settings)
    assert runs[1].stdout.readline().startswith("epoch")
    runs[1].terminate()
    for run in runs:
        said, errors = run.communicate(timeout=60)
        assert run.returncode == 143, errors[-3000:]
        assert "SIGTERM. The run can go on" in said
    assert results(*two_workers(start, tmp_path, **settings)) == whole


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: distribution.strategy("parameter_server"), "hangs in `fit`"),
        (lambda: distribution.strategy("keras"), "does nothing on the TensorFlow backend"),
        (lambda: distribution.strategy("horovod"), "'mirrored', 'multi_worker', 'tpu'"),
        (lambda: distribution.mirrored(["GPU:77"]), "different ones of .*CPU:0"),
        (lambda: distribution.mirrored(["CPU:0", "/device:CPU:0"]), "different ones"),
        (lambda: distribution.mirrored([]), "different ones"),
        (lambda: distribution.multi_worker(), "TF_CONFIG"),
        (lambda: distribution.multi_worker([]), "one worker or more"),
        (lambda: distribution.multi_worker(["a", "b:1"], 0), "host:port"),
        (lambda: distribution.multi_worker(["b:1", "b:1"], 0), "different"),
        (lambda: distribution.multi_worker("a:1", 0), "host:port"),
        (lambda: distribution.multi_worker(["a:1", "b:1"], 2), "index=2"),
        (lambda: distribution.multi_worker(["a:1", "b:1"]), "index=None"),
        (lambda: distribution.multi_worker(["a:1", "b:1"], 0, timeout_s=0), "timeout_s=0"),
    ],
)
def test_bad_input(make, message, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("train", [ut.training.Loop, lambda model: ut.training.compile(model, verbose=False)])
def test_what_does_not_work_is_refused(train, monkeypatch):
    model = tagger("mean", None)
    with monkeypatch.context() as patch:
        patch.setattr(model, "_distribute_strategy", object.__new__(tf.distribute.ParameterServerStrategy))
        with pytest.raises(ValueError, match="hangs in `fit`"):
            train(model)
    devices = keras.distribution.DataParallel(devices=["cpu:0"])
    keras.distribution.set_distribution(devices)
    try:
        with pytest.raises(ValueError, match="does nothing on the TensorFlow backend"):
            train(model)
    finally:
        keras.distribution.set_distribution(None)


def test_a_late_strategy_says_so():
    """TensorFlow has run in this process."""
    tf.constant(1.0)
    with pytest.raises(RuntimeError, match="at program startup"):
        distribution.multi_worker(free_addresses(1), 0)


@pytest.mark.parametrize("name", ["strategy", "mirrored", "local_batches"])
def test_examples_run(name):
    assert run_examples(inspect.getdoc(getattr(distribution, name)), name) == ""
