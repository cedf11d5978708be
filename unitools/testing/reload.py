"""Read saved components in a process of their own: `python -m unitools.testing.reload FOLDER...`."""

import importlib
import json
import pickle
import sys
from pathlib import Path

import keras

from unitools.testing.arguments import canonical
from unitools.testing.tensors import as_tensors, caller, expect, expect_equal


def reload_case(folder: Path) -> str | None:
    """Read a folder of `write_case`, and return how the component differs from the one written; None if it does not."""
    try:
        case = pickle.loads((folder / "case.pickle").read_bytes())  # written by the parent process a moment ago
        importlib.import_module(case["module"])
        _expect_same(case, *_read(folder, case["name"]))
    except AssertionError as error:
        return str(error)
    except Exception as error:
        return f"it cannot be read again: {type(error).__name__}: {error}"
    return None


def _read(folder, name):
    """Return the component, and what to call to get its outputs."""
    path = folder / "model.keras"
    if not path.exists():
        component = keras.saving.deserialize_keras_object(json.loads((folder / "object.json").read_text()))
        return component, component
    model = keras.saving.load_model(path, compile=False)
    return model if model.name == name else model.get_layer(name), model


def _expect_same(case, component, called):
    config = canonical(component.get_config())
    for name, value in case["config"].items():
        expect(name in config, f"`{name}` is lost")
        expect(config[name] == value, f"`{name}` was {value!r} and came back as {config[name]!r}")
    if case["inputs"] is not None:
        expect_equal(case["outputs"], caller(called)(as_tensors(case["inputs"])), "outputs after reading the file")


if __name__ == "__main__":
    print()
    print(json.dumps([reload_case(Path(folder)) for folder in sys.argv[1:]]), end="")
