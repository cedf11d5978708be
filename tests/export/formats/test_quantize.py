"""The table of quantization: every number is counted again by other means."""

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

import unitools as ut


def digits():
    data = load_digits()
    images, labels = data.images[..., None].astype("float32"), data.target
    return (images[:1400], labels[:1400]), (images[1400:], labels[1400:])


def trained(*layers):
    keras.utils.set_random_seed(0)
    (x, y), _ = digits()
    model = keras.Sequential([keras.Input((8, 8, 1), name="images"), keras.layers.Rescaling(1 / 16), *layers])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=6, verbose=0)
    return model


def accuracy(ask):
    _, (x, y) = digits()
    return np.mean(ask({"images": x})["probabilities"].argmax(-1) == y)


def test_convolutions_by_litert(tmp_path):
    layers = [keras.layers.Conv2D(32, 3, activation="relu"), keras.layers.Flatten()]
    model = trained(*layers, keras.layers.Dense(64, "relu"), keras.layers.Dense(10, "softmax", name="probabilities"))
    (x, _), (new, truth) = digits()
    report = ut.export.quantize(model, tmp_path / "q", representative=x[:200], score=accuracy, fresh_process=False)
    assert [one.name for one in report.variants] == ["float32", "float16", "int8", "keras_int8"]
    expected = np.mean(model.predict(new, verbose=0).argmax(-1) == truth)
    assert report["float32"].score == pytest.approx(expected) and expected > 0.8
    for name, share, lost in (("float16", 0.55, 0.005), ("int8", 0.3, 0.02)):
        one = report[name]
        size = (tmp_path / "q" / name / "model.tflite").stat().st_size
        assert one.size == size < share * report["float32"].size
        assert one.path == str(tmp_path / "q" / name) and one.milliseconds > 0
        assert report["float32"].score - one.score < lost
        assert accuracy(ut.export.load(one.path)) == one.score
    assert "no int8 for convolutions" in report["keras_int8"].reason
    assert not (tmp_path / "q" / "keras_int8").exists()
    lines = str(report).splitlines()
    assert len(lines) == 5 and lines[4].startswith("keras_int8    none: Keras")


def test_dense_layers_by_keras_too(tmp_path):
    layers = [keras.layers.Flatten(), keras.layers.Dense(256, "relu"), keras.layers.Dense(256, "relu")]
    model = trained(*layers, keras.layers.Dense(10, "softmax", name="probabilities"))
    (x, _), (new, _) = digits()
    before = model.predict(new, verbose=0)
    report = ut.export.quantize(model, tmp_path / "q", representative=x[:200], score=accuracy, fresh_process=False)
    assert not any(one.reason for one in report.variants)
    by_keras = report["keras_int8"]
    files = [*(tmp_path / "q" / "keras_int8" / "variables").iterdir()]
    assert sum(file.stat().st_size for file in files) < 0.3 * report["float32"].size < by_keras.size * 2
    assert report["float32"].score - by_keras.score < 0.02
    np.testing.assert_array_equal(model.predict(new, verbose=0), before)  # the model stays as it is


def test_bad_input_writes_nothing(tmp_path):
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
    for options, match in (
        ({"representative": None}, "representative"),
        ({"representative": np.zeros((5, 3))}, "examples"),
        ({"representative": np.zeros((5, 8, 8, 1)), "inputs": "image_bytes"}, "inputs"),
        ({"representative": np.zeros((5, 8, 8, 1)), "labels": ["a"]}, "labels"),
    ):
        with pytest.raises(ValueError, match=match):
            ut.export.quantize(model, tmp_path / "q", **options, fresh_process=False)
    assert not list(tmp_path.iterdir())
