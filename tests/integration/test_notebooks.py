"""The notebooks run from the first cell to the last. Their code cells are run here, without a Jupyter kernel."""

import json
from pathlib import Path

import numpy as np
import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


def run_cells(path):
    """Run a notebook's code cells, and return the names they leave behind."""
    names = {"__name__": "__main__"}
    for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"{path.name}, cell {number}", "exec"), names)
    return names


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_keeps_its_promise(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    names = run_cells(path)
    assert names["accuracy"] >= 0.97
    predicted = [names["held_out"].class_names[label] for label in np.argmax(names["probabilities"], axis=-1)]
    assert names["served"] == predicted


def test_there_are_notebooks():
    assert NOTEBOOKS
