"""Whether a run repeats."""

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from unitools.core.checks import check_flag, check_integer, check_number, fail
from unitools.training.run_comparison import RunComparison


def compare_runs(
    run: Callable[[], Any], times: int = 2, *, fresh_processes: bool = False, tolerance: float = 0.0
) -> RunComparison:
    """Run a function several times, and say whether it gave the same each time, and where not.

    Why: a seed that was forgotten shows only when a run should repeat. To see the step at which runs part, return what
    comes first first: `{"loss": losses of all steps, "model": model}`.

    Args:
        run: A function without arguments that sets its seeds (`ut.training.deterministic`), trains, and returns a
            model (all its variables, and the optimizer's), a `History`, arrays and numbers, or dictionaries and lists
            of these.
        times: Number of runs, >= 2. Default 2.
        fresh_processes: Whether each run is a Python process of its own, which also shows what depends on what ran
            before, or on the order of sets. `run` must then be a function at the top level of a module. Default False.
        tolerance: Largest absolute difference that counts as the same, >= 0. Default 0: equal, or both not a number.

    Returns:
        A `RunComparison`.

    Raises:
        ValueError: `run` returned what cannot be compared, or cannot be run in another process.
        RuntimeError: A process of its own failed. The message ends with its last lines.

    Example:
    >>> import keras
    >>> import numpy as np
    >>> import unitools as ut
    >>> def run():
    ...     keras.utils.set_random_seed(1)
    ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dropout(0.5), keras.layers.Dense(1)])
    ...     model.compile("sgd", "mse")
    ...     history = model.fit(np.ones((8, 2)), np.ones(8), verbose=0)
    ...     return {"history": history, "model": model}
    >>> print(ut.training.compare_runs(run))
    2 runs agreed
    """
    check_integer("times", times, 2)
    check_number("tolerance", tolerance, 0)
    once = _in_process_of_its_own(run) if check_flag("fresh_processes", fresh_processes) else lambda: flat_values(run())
    first = once()
    for number in range(1, times):
        other = once()
        different = [name for name in first | other if not _same(first.get(name), other.get(name), tolerance)]
        if different:
            place = _first_difference(first.get(different[0]), other.get(different[0]), tolerance)
            return RunComparison(False, times, number, different[0], *place, tuple(different))
    return RunComparison(True, times)


def flat_values(result: Any, name: str = "") -> dict[str, np.ndarray]:
    """Return all values of a result as arrays by name, in order.

    Args:
        result: What `compare_runs` takes from a run.
        name: Name of the result in what holds it.
    """
    if isinstance(result, keras.Model):
        return _variables(result, name)
    if isinstance(result, keras.callbacks.History):
        result = result.history
    if isinstance(result, Mapping):
        parts = [(str(key), value) for key, value in result.items()]
    elif isinstance(result, Sequence) and not isinstance(result, (str, bytes)) and not _is_row(result):
        parts = [(str(key), value) for key, value in enumerate(result)]
    else:
        return {name or "result": _array(result)}
    return {key: value for part, inner in parts for key, value in flat_values(inner, _join(name, part)).items()}


def _join(name, part):
    return f"{name}/{part}" if name else part


def _variables(model, name):
    """Return variables by number and short name: layers of two models made one after the other have different names."""
    found = {f"{number} {variable.name}": variable for number, variable in enumerate(model.variables)}
    if model.compiled and model.optimizer is not None:
        for number, variable in enumerate(model.optimizer.variables):
            found[f"optimizer/{number} {_short_name(variable.name, model.variables)}"] = variable
    return {_join(name, part): variable.numpy() for part, variable in found.items()}


def _short_name(name, variables):
    """Return the name of an optimizer's variable, which begins with the path of the one that it serves."""
    served = [variable for variable in variables if name.startswith(variable.path.replace("/", "_"))]
    longest = max(served, key=lambda variable: len(variable.path), default=None)
    return name if longest is None else longest.name + name[len(longest.path) :]


def _is_row(values):
    return all(np.ndim(value) == 0 and not isinstance(value, (Mapping, str, keras.Model)) for value in values)


def _array(value):
    array = np.asarray(value)
    if array.dtype.kind not in "biufcSU":
        fail("run", value, "a function that returns models, histories, arrays, numbers, or lists and dicts of these")
    return array


def _same(one, other, tolerance):
    return (
        one is not None and other is not None and one.shape == other.shape and not _apart(one, other, tolerance).any()
    )


def _apart(one, other, tolerance):
    """Return where two arrays of one shape differ."""
    equal = np.asarray(one == other)
    if _is_text(one, other):
        return ~equal
    equal |= np.isnan(one) & np.isnan(other)
    # Large integers have distances that float64 rounds to 0.
    return ~equal if tolerance == 0 else ~equal & ~(_distance(one, other) <= tolerance)


def _is_text(one, other):
    return one.dtype.kind in "SU" or other.dtype.kind in "SU"


def _distance(one, other):
    with np.errstate(invalid="ignore"):
        return np.abs(one.astype("complex128" if one.dtype.kind == "c" else "float64") - other)


def _first_difference(one, other, tolerance):
    """Return the index at which two values part, None where their shapes do, and the largest difference."""
    if one is None or other is None or one.shape != other.shape:
        return None, float("inf")
    apart = _apart(one, other, tolerance)
    position = tuple(int(index) for index in np.argwhere(apart)[0])
    if _is_text(one, other):
        return position, float("inf")
    largest = np.max(_distance(one, other)[apart])
    return position, float("inf") if np.isnan(largest) else float(largest)


def _in_process_of_its_own(run):
    try:
        task = pickle.dumps(run)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        fail("run", run, "a function at the top level of a module", f"Or fresh_processes=False. {error}")
    if getattr(run, "__module__", None) == "__main__":
        fail("run", run, "a function that another process can import", "Move it from the script into a module.")
    return lambda: _run_elsewhere(task)


def _run_elsewhere(task):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run")
        path.write_bytes(task)
        paths = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        command = [sys.executable, "-m", "unitools.training.run_once", str(path)]
        environment = os.environ | {"PYTHONPATH": paths}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(
                f"`run` must end without an error in a process of its own. It ended with code {done.returncode}. "
                f"Mend what its last lines say:\n{done.stderr[-2000:]}"
            )
        return pickle.loads(path.read_bytes())
