"""Components written to files here and read again by a process that has never seen them."""

import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from unitools.testing.arguments import canonical
from unitools.testing.reload import reload_case
from unitools.testing.specimen import Specimen
from unitools.testing.tensors import as_arrays, as_tensors, caller, symbolic_inputs


def reload_failures(specimens: Sequence[Specimen]) -> list[str | None]:
    """Save each specimen, read all of them in one fresh process, and return why each fails; None for success.

    A class that no other process can import (one of a notebook, a script or a function) is read in this process.
    """
    with tempfile.TemporaryDirectory() as folder:
        cases = [Path(folder) / str(index) for index in range(len(specimens))]
        failures = [_attempt(write_case, *pair) for pair in zip(specimens, cases, strict=True)]
        written = [index for index, failure in enumerate(failures) if failure is None]
        elsewhere = [index for index in written if _is_importable(specimens[index].cls)]
        for index in set(written) - set(elsewhere):
            with keras.saving.CustomObjectScope({specimens[index].label: specimens[index].cls}):
                failures[index] = reload_case(cases[index])
        for index, failure in zip(elsewhere, _reload_elsewhere([cases[i] for i in elsewhere]), strict=True):
            failures[index] = failure
        return failures


def write_case(specimen: Specimen, folder: Path) -> None:
    """Write a component, its config, its inputs and its outputs to a new folder."""
    folder.mkdir()
    component = specimen.build()
    inputs = specimen.inputs() if specimen.inputs else None
    if isinstance(component, keras.layers.Layer):
        model = _as_model(component, inputs)
        model.save(folder / "model.keras")
    else:
        (folder / "object.json").write_text(json.dumps(keras.saving.serialize_keras_object(component)))
    case = {
        "module": specimen.cls.__module__,
        "name": getattr(component, "name", None),
        "config": canonical(component.get_config()),
        "inputs": inputs,
        "outputs": None if inputs is None else as_arrays(caller(component)(as_tensors(inputs))),
    }
    (folder / "case.pickle").write_bytes(pickle.dumps(case))


def _as_model(component, inputs):
    """Return a model that computes what the component computes, built and ready to be saved."""
    if isinstance(component, keras.Model):
        caller(component)(as_tensors(inputs))
        return component
    symbols = symbolic_inputs(inputs)
    return keras.Model(symbols, component(symbols))


def _attempt(function, *arguments) -> str | None:
    try:
        function(*arguments)
    except Exception as error:
        return f"it cannot be saved: {type(error).__name__}: {error}"
    return None


def _is_importable(cls: type) -> bool:
    return cls.__module__ != "__main__" and "<locals>" not in cls.__qualname__


def _reload_elsewhere(cases: list[Path]) -> list[Any]:
    if not cases:
        return []
    paths = os.pathsep.join(path for path in sys.path if path)
    result = subprocess.run(
        [sys.executable, "-m", "unitools.testing.reload", *map(str, cases)],
        env=os.environ | {"PYTHONPATH": paths},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if result.returncode:
        return [f"the fresh process ended with {result.returncode}: {result.stderr[-2000:]}"] * len(cases)
    return json.loads(result.stdout.rpartition("\n")[2])
