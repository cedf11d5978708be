import io
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from rich.console import Console

from unitools.cli import demo, report
from unitools.cli.demo_settings import DemoSettings
from unitools.data import ImageFolder
from unitools.export import VerificationError


def served_labels(export, files):
    serve = tf.saved_model.load(str(export)).signatures["serving_default"]
    answers = serve(image_bytes=tf.constant([file.read_bytes() for file in files]))
    return [label.decode() for label in answers["label"].numpy()]


def test_digits_from_pictures_to_an_export_that_answers(tmp_path):
    printed = io.StringIO()
    settings = DemoSettings(output=tmp_path, epochs=5)
    accuracy = demo.run_demo(settings, Console(file=printed, width=100))
    assert accuracy >= 0.97
    files = sorted((tmp_path / "digits" / "val").glob("*/*.png"))
    labels = served_labels(tmp_path / "export" / "1", files)
    assert np.mean([label == file.parent.name for label, file in zip(labels, files, strict=True)]) == accuracy
    text = printed.getvalue()
    over_rest = ("POST http://127.0.0.1:", "export:predict: 8 examples", "Answers over REST", "unitools serve")
    for expected in ("epoch 5/5", "AdamW", "precision", f"accuracy {accuracy:.4f}", "confusion_matrix.png", *over_rest):
        assert expected in text
    card = (tmp_path / "export" / "1" / "README.md").read_text()
    assert "360 held out" in card and f"{accuracy:.4f}"[:5] in card
    with Image.open(tmp_path / "confusion_matrix.png") as picture:
        assert min(picture.size) > 300


@pytest.mark.slow
def test_flowers_with_pretrained_weights_reach_nine_tenths(shared_data, shared_weights, tmp_path):
    weights = str(shared_weights("efficientnet_lite0_imagenet"))
    settings = DemoSettings(data=shared_data("flower_photos") / "train", weights=weights, output=tmp_path)
    assert demo.run_demo(settings) >= 0.90
    files = sorted((shared_data("flower_photos") / "val").glob("*/*.jpg"))[::30]
    labels = served_labels(tmp_path / "export" / "1", files)
    assert np.mean([label == file.parent.name for label, file in zip(labels, files, strict=True)]) >= 0.7


@pytest.mark.parametrize(("served", "names"), [([[0.6, 0.4]], ["a"]), ([[0.7, 0.3]], ["b"])])
def test_an_export_that_answers_otherwise_is_a_fault(monkeypatch, folder, served, names):
    monkeypatch.setattr(demo, "classify_files", lambda export, files: (np.array(served), names))
    with pytest.raises(VerificationError, match="Do not serve it"):
        demo._ask_export(Path("x"), folder, np.array([[0.7, 0.3]]))


@pytest.fixture
def folder(tmp_path):
    """Return pictures of two classes whose names mean something to rich and to matplotlib."""
    for name in ("$a$", "[red]b"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "pictures" / name / "1.png")
    return ImageFolder(tmp_path / "pictures", image_size=(8, 8))


def test_results_name_the_classes_as_they_are(folder):
    printed = io.StringIO()
    accuracy = report.print_results(Console(file=printed, width=80), folder, np.array([[0.9, 0.1], [0.8, 0.2]]), {})
    assert accuracy == 0.5
    rows = [line.split("│")[1:-1] for line in printed.getvalue().splitlines() if line.startswith("│")]
    rows = [[cell.strip() for cell in row] for row in rows]
    assert rows == [["$a$", "0.500", "1.000", "1"], ["[red]b", "0.000", "0.000", "1"]]


def test_wrong_predictions_of_an_earlier_run_do_not_stay(folder, tmp_path):
    names = [path.name for path in report.write_pictures(tmp_path, folder, np.array([[0.9, 0.1], [0.8, 0.2]]))]
    assert names == ["confusion_matrix.png", "wrong_predictions.png"]
    names = [path.name for path in report.write_pictures(tmp_path, folder, np.array([[0.9, 0.1], [0.2, 0.8]]))]
    assert names == ["confusion_matrix.png"]
    assert not (tmp_path / "wrong_predictions.png").exists()
