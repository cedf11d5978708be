"""docs/case_study.md: its code blocks run as they stand, with smaller settings."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

PAGE = Path(__file__).resolve().parents[2] / "docs" / "case_study.md"


@pytest.fixture(scope="module")
def case(shared_data, tmp_path_factory):
    """Return the names that the page's blocks leave behind."""
    settings, *blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.S | re.M)
    names = {
        "weights": None,
        "folder": str(shared_data("flower_photos")),
        "batch_size": 8,
        "epochs": 1,
        "steps_per_epoch": 2,
        "export": str(tmp_path_factory.mktemp("serving") / "1"),
    }
    given = set(re.findall(r"(\w+)(?=(?:, \w+)* = )", settings))
    assert given == set(names), "the first block must hold the settings, and nothing else"
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    return names


def test_the_model_is_the_cases(case):
    model = case["model"]
    assert model.input_shape == (None, 224, 224, 3)
    assert case["base"].output_shape == (None, 7, 7, 2048)
    assert [layer.get_config().get("units") for layer in model.layers[-3:]] == [256, None, 5]
    assert model.layers[-2].rate == 0.5
    assert type(model.optimizer) is keras.optimizers.Adam
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-4)
    assert int(model.optimizer.iterations) == 2


def test_served_equals_predict_for_files(case):
    files = case["held_out"].files[::50]
    served = tf.saved_model.load(case["export"]).signatures["serving_default"]
    answers = served(image_bytes=tf.constant([Path(file).read_bytes() for file in files]))
    images = np.stack([case["held_out"][index]["images"] for index in range(0, len(case["held_out"]), 50)]) / 255
    predicted = case["model"].predict(images, verbose=0)
    np.testing.assert_allclose(answers["probabilities"].numpy(), predicted, rtol=1e-4, atol=1e-5)
    assert np.ptp(predicted, axis=0).max() > 1e-4, "answers that are all one would make equality worthless"
    names = sorted(path.name for path in Path(case["folder"], "train").iterdir())
    assert [label.decode() for label in answers["label"].numpy()] == [names[best] for best in predicted.argmax(-1)]


def test_the_better_model_trains(case):
    weights = case["better"].trainable_weights
    before = [weight.numpy() for weight in weights]
    case["better"].fit(case["batches"], steps_per_epoch=1, epochs=1, shuffle=False, verbose=0)
    still = [weight.path for old, weight in zip(before, weights, strict=True) if (old == weight.numpy()).all()]
    assert still == []
