"""Runs that agree and runs that do not, in one process and in several."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut

compare_runs = ut.training.compare_runs
NAN, INFINITE = float("nan"), float("inf")


def one_after_another(*results):
    """Return a run that gives another result each time."""
    left = iter(results)
    return lambda: next(left)


def trained(seed=None):
    if seed is not None:
        keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.5), keras.layers.Dense(2, name="end")])
    model.compile("adam", "mse")
    x = np.linspace(-1, 1, 24, dtype="float32").reshape(8, 3)
    history = model.fit(x, x[:, :2], batch_size=2, epochs=2, verbose=0)
    return {"history": history, "model": model}


def test_runs_that_agree():
    found = compare_runs(lambda: trained(seed=1), times=3)
    assert found
    assert str(found) == "3 runs agreed"
    assert (found.run, found.name, found.position, found.largest_difference, found.different) == (
        None,
        None,
        None,
        0,
        (),
    )


def test_a_run_that_forgot_its_seed():
    """All that training changes is named, in the order of what the run returned, and nothing else."""
    results = [trained(), trained()]
    found = compare_runs(one_after_another(*results))
    first, second = (result["history"].history["loss"] for result in results)
    assert not found
    assert (found.run, found.name, found.position) == (1, "history/loss", (0,))
    assert found.largest_difference == max(abs(a - b) for a, b in zip(first, second, strict=True))
    assert "model/1 kernel" in found.different
    names = {name.removeprefix("model/optimizer/") for name in found.different}
    assert {"2 kernel_momentum", "3 kernel_velocity"} <= names
    assert not any("iteration" in name or "learning_rate" in name for name in names)
    assert str(found).startswith("run 1 differs from run 0, first in history/loss at 0, by at most ")


@pytest.mark.parametrize(
    ("one", "other", "name", "position", "largest"),
    [
        ([0.5, 0.25, 0.125], [0.5, 0.5, 1.125], "result", (1,), 1.0),
        (np.zeros((2, 3)), np.eye(2, 3) * -2, "result", (0, 0), 2.0),
        (3, 5, "result", (), 2.0),
        (True, False, "result", (), 1.0),
        (1 + 2j, 1 - 2j, "result", (), 4.0),
        ({"a": 1, "b": [2, 3]}, {"a": 1, "b": [2, 4]}, "b", (1,), 1.0),
        ({"a": {"b": [[1, 2], [3, 4]]}}, {"a": {"b": [[1, 2], [3, 9]]}}, "a/b/1", (1,), 5.0),
        ({"a": 1}, {"a": 1, "b": 2}, "b", None, INFINITE),
        ({"a": 1, "b": 2}, {"b": 2}, "a", None, INFINITE),
        ([1.0, 2.0], [1.0, 2.0, 3.0], "result", None, INFINITE),
        ([1.0, NAN], [1.0, 2.0], "result", (1,), INFINITE),
        ([1.0, INFINITE], [1.0, 2.0], "result", (1,), INFINITE),
        (np.int64(2**60), np.int64(2**60 + 1), "result", (), 0.0),
        ({"place": "a"}, {"place": "b"}, "place", (), INFINITE),
        ({"place": 1}, {"place": "1"}, "place", (), INFINITE),
    ],
)
def test_where_runs_part(one, other, name, position, largest):
    found = compare_runs(one_after_another(one, other))
    assert (found.agreed, found.run, found.name, found.position) == (False, 1, name, position)
    assert found.largest_difference == largest


@pytest.mark.parametrize(
    "value", [NAN, [1.0, NAN, INFINITE, -INFINITE], "text", [], tf.constant([1, 2]), np.float16(3)]
)
def test_equal_values(value):
    assert compare_runs(lambda: {"value": value})


def test_the_first_run_that_differs_is_named():
    found = compare_runs(one_after_another(*({"a": 1, "b": b, "c": b} for b in (0, 0, 4, 9))), times=4)
    assert (found.run, found.name, found.different, found.largest_difference) == (2, "b", ("b", "c"), 4)
    assert str(found) == "run 2 differs from run 0, first in b, by at most 4, and in 1 more"


def test_a_difference_of_shapes_is_said():
    found = compare_runs(one_after_another({"a": [1, 2]}, {"a": [1]}))
    assert str(found) == "run 1 differs from run 0, first in a: one lacks it, or has another shape"


@pytest.mark.parametrize(("tolerance", "agreed"), [(0, False), (0.24, False), (0.25, True)])
def test_tolerance(tolerance, agreed):
    runs = one_after_another([1.0, 2.0, NAN], [1.25, 2.0, NAN])
    assert compare_runs(runs, tolerance=tolerance).agreed == agreed


def trained_by_one_switch():
    ut.training.deterministic(seed=5)
    found = trained()
    return found | {"drawn": [random.random(), np.random.random(), float(tf.random.uniform(()))]}


def same_order_of_a_set():
    return list({"north", "east", "south", "west", "up", "down", "left", "right"})


def failing():
    raise OSError("no such street")


def test_processes_that_agree():
    """Weights are drawn, shuffled data and dropout too: one switch for all of them."""
    assert compare_runs(trained_by_one_switch, fresh_processes=True)


def test_processes_that_do_not(monkeypatch):
    """The order of a set is the same in one process, and another one in the next."""
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    assert compare_runs(same_order_of_a_set)
    found = compare_runs(same_order_of_a_set, fresh_processes=True)
    assert not found
    assert found.largest_difference == INFINITE


def test_a_process_that_fails():
    with pytest.raises(RuntimeError, match="(?s)ended with code 1.*no such street"):
        compare_runs(failing, fresh_processes=True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: compare_runs(lambda: 1, times=1), "times=1"),
        (lambda: compare_runs(lambda: 1, tolerance=-0.1), "tolerance=-0.1"),
        (lambda: compare_runs(lambda: 1, fresh_processes="yes"), "fresh_processes='yes'"),
        (lambda: compare_runs(lambda: None), "a function that returns models"),
        (lambda: compare_runs(lambda: {"a": object()}), "a function that returns models"),
        (lambda: compare_runs(lambda: 1, fresh_processes=True), "top level of a module"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_function_of_a_script_cannot_be_imported(monkeypatch):
    monkeypatch.setattr(failing, "__module__", "__main__")
    monkeypatch.setattr("__main__.failing", failing, raising=False)
    with pytest.raises(ValueError, match="Move it from the script into a module"):
        compare_runs(failing, fresh_processes=True)
