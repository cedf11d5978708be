"""One test for each format: the file answers as `predict`, by its own runtime."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from unitools.export import call_portable

EXPORTS = {
    "onnx": ut.export.onnx,
    "litert": ut.export.litert,
    "openvino": ut.export.openvino,
    "keras": ut.export.keras_file,
}
CONVERTED = [name for name in EXPORTS if name != "keras"]
SIZE = (24, 20)


def cnn(units=3):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((*SIZE, 3))
    x = keras.layers.GaussianNoise(0.5)(keras.layers.RandomFlip()(inputs))
    x = keras.layers.BatchNormalization()(keras.layers.Conv2D(8, 3, strides=2, padding="same")(x))
    x = keras.layers.DepthwiseConv2D(3)(keras.layers.ReLU(6)(x))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Activation("swish")(x))
    return keras.Model(inputs, keras.layers.Dense(units, "softmax")(x))


@keras.saving.register_keras_serializable("tests")
class Noise(keras.Layer):
    """Random at inference too."""

    def call(self, x):
        return x + tf.random.normal(tf.shape(x))


@keras.saving.register_keras_serializable("tests")
class Scaled(keras.Layer):
    """Of this module, registered."""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return super().get_config() | {"factor": self.factor}


class Rare(keras.Layer):
    """An operation that no other format has."""

    def call(self, x):
        return tf.linalg.svd(x[:, None, :])[0]


def pair():
    keras.utils.set_random_seed(0)
    numbers, ids = keras.Input((4,), name="numbers"), keras.Input((6,), dtype="int32", name="ids")
    x = keras.layers.LayerNormalization()(keras.layers.Embedding(10, 8)(ids))
    x = keras.layers.MultiHeadAttention(2, 4)(x, x)
    joined = keras.layers.Concatenate()([keras.layers.LSTM(5, unroll=True)(x), keras.layers.Dense(3, "gelu")(numbers)])
    outputs = {"value": keras.layers.Dense(1)(joined), "kind": keras.layers.Dense(2, "softmax")(joined)}
    return keras.Model({"numbers": numbers, "ids": ids}, outputs)


def images(count=5):
    return np.random.default_rng(1).integers(0, 256, (count, *SIZE, 3)).astype("float32")


def rows(count=7):
    random = np.random.default_rng(2)
    return {"numbers": random.normal(size=(count, 4)).astype("float32"), "ids": random.integers(0, 10, (count, 6))}


@pytest.mark.parametrize("name", EXPORTS)
def test_a_network_of_two_inputs_in_a_fresh_process(name, tmp_path):
    model = pair()
    report = EXPORTS[name](model, tmp_path / name, **({} if name == "keras" else {"inputs": "arrays"}), examples=rows())
    assert report.fresh_process and report.num_examples == 7 and not report.made_examples
    artefact = ut.export.load(tmp_path / name)
    assert artefact.kind == name
    given = rows(3) | {"ids": rows(3)["ids"].astype("int32")}
    answers, expected = artefact(given), model.predict(given, verbose=0)
    assert set(answers) == {"value", "kind"} == set(artefact.signatures["serving_default"]["outputs"])
    for key, value in answers.items():
        assert value.dtype == np.float32
        np.testing.assert_allclose(value, expected[key], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CONVERTED)
def test_pictures_with_their_preprocessing(name, tmp_path):
    model, labels = cnn(), ["a", "b", "c"]
    scale = keras.layers.Rescaling(1 / 255)
    card = ut.export.ModelCard("Three kinds", licence="MIT")
    options = {"labels": labels, "preprocess": scale, "examples": images(), "fresh_process": False, "card": card}
    report = EXPORTS[name](model, tmp_path / name, **options)
    artefact = ut.export.load(tmp_path / name)
    for count in (1, 4):
        answers = artefact({"images": images(count)})
        assert list(answers) == ["probabilities"]
        expected = model.predict(images(count) / 255, verbose=0)
        np.testing.assert_allclose(answers["probabilities"], expected, rtol=1e-4, atol=1e-5)
    text = (tmp_path / name / "README.md").read_text()
    assert "# Three kinds" in text and f"`{name}`" in text and "license: " in text
    assert artefact.labels == labels and report.differences["serving_default"] < 1e-5
    assert ut.export.verify(tmp_path / name, model, images(2), preprocess=scale, fresh_process=False).num_examples == 2
    with pytest.raises(ut.export.VerificationError, match="must equal predict"):
        ut.export.verify(tmp_path / name, cnn(), images(2), fresh_process=False)  # without preprocess


@pytest.mark.parametrize("name", CONVERTED)
def test_the_runtime_alone_is_imported(name, tmp_path):
    """TensorFlow, Keras and unitools are made to fail on import, and the export answers all the same."""
    EXPORTS[name](cnn(), tmp_path / name, examples=images(), fresh_process=False)
    for hidden in ("tensorflow", "keras", "unitools"):
        (tmp_path / "hidden" / hidden).mkdir(parents=True)
        (tmp_path / "hidden" / hidden / "__init__.py").write_text("raise RuntimeError('imported')")
    for folder in ("given", "returned"):
        (tmp_path / folder).mkdir()
    call_portable.write_tensors(tmp_path / "given", [{"images": images(2)}])
    command = [sys.executable, "-P", call_portable.__file__, tmp_path / name, tmp_path / "given", tmp_path / "returned"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "hidden")}
    done = subprocess.run([*command, "serving_default"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (answers,) = call_portable.read_tensors(tmp_path / "returned")
    (output,) = answers.values()
    np.testing.assert_allclose(output, cnn().predict(images(2), verbose=0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", EXPORTS)
def test_what_differs_is_not_published(name, tmp_path):
    inputs = keras.Input((4,), name="x")
    model = keras.Model(inputs, Noise()(inputs))
    # ONNX has no random state that TensorFlow's could become, and its converter may refuse it.
    with pytest.raises((ut.export.VerificationError, ut.export.ConversionError)):
        EXPORTS[name](model, tmp_path / "out", **({} if name == "keras" else {"inputs": "arrays"}), fresh_process=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", CONVERTED)
def test_strings_are_refused(name, tmp_path):
    inputs = keras.Input((), dtype="string", name="texts")
    model = keras.Model(inputs, keras.layers.Hashing(3, output_mode="one_hot", dtype="float32")(inputs))
    with pytest.raises(ValueError, match="operations on strings.*saved_model"):
        EXPORTS[name](model, tmp_path / "out", "arrays")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", EXPORTS)
def test_numbers_at_the_edges(name, tmp_path):
    model = keras.Sequential([keras.Input((3,), name="x"), keras.layers.ReLU()])
    options = {} if name == "keras" else {"inputs": "arrays"}
    EXPORTS[name](model, tmp_path / name, **options, output_name="y", fresh_process=False)
    given = np.array([[-1e30, 0, 1e30], [np.inf, -np.inf, 1]], "float32")
    np.testing.assert_array_equal(ut.export.load(tmp_path / name)({"x": given})["y"], np.maximum(given, 0))


def test_halves_and_integers_are_smaller(tmp_path):
    keras.utils.set_random_seed(0)
    layers = [keras.Input((*SIZE, 3)), keras.layers.Flatten(), keras.layers.Dense(64, "relu"), keras.layers.Dense(3)]
    model, sizes = keras.Sequential(layers), {}
    for name, options in {"none": {}, "float16": {}, "int8": {"representative": images(64)}}.items():
        kind = None if name == "none" else name
        path = tmp_path / name
        ut.export.litert(model, path, quantization=kind, **options, fresh_process=False, output_name="logits")
        sizes[name] = (path / "model.tflite").stat().st_size
        answers = ut.export.load(path)({"images": images()})["logits"]
        expected = model.predict(images(), verbose=0)
        assert np.abs(answers - expected).max() < {"none": 1e-3, "float16": 0.5, "int8": 5.0}[name]
        assert json.loads((path / "signature.json").read_text())["quantization"] == kind
    assert sizes["float16"] < 0.55 * sizes["none"] and sizes["int8"] < 0.3 * sizes["none"]
    ut.export.openvino(model, tmp_path / "ov", quantization="float16", fresh_process=False)
    assert (tmp_path / "ov" / "model.bin").stat().st_size < 0.55 * sizes["none"]


def test_bad_arguments(tmp_path):
    model = cnn()
    for message, call in {
        "quantization": lambda: ut.export.litert(model, tmp_path / "a", quantization="int4"),
        "representative.*hundred": lambda: ut.export.litert(model, tmp_path / "a", quantization="int8"),
        "representative.*None without": lambda: ut.export.litert(model, tmp_path / "a", representative=images()),
        "opset": lambda: ut.export.onnx(model, tmp_path / "a", opset=99),
        "one of 'images', 'arrays'": lambda: ut.export.onnx(model, tmp_path / "a", "image_bytes"),
        "labels": lambda: ut.export.openvino(model, tmp_path / "a", labels=["a"]),
        "preprocess": lambda: ut.export.onnx(model, tmp_path / "a", "arrays", preprocess=keras.layers.Rescaling(2)),
        "examples": lambda: ut.export.onnx(model, tmp_path / "a", examples=np.zeros((2, 3, 3, 3))),
    }.items():
        with pytest.raises(ValueError, match=message):
            call()
    (tmp_path / "full").mkdir()
    with pytest.raises(FileExistsError):
        ut.export.onnx(model, tmp_path / "full")
    assert [one.name for one in tmp_path.iterdir()] == ["full"]


@pytest.mark.parametrize("name", CONVERTED)
def test_a_layer_that_a_format_lacks(name, tmp_path):
    inputs = keras.Input((2,), name="x")
    with pytest.raises(ut.export.ConversionError, match="Replace these layers"):
        EXPORTS[name](keras.Model(inputs, Rare()(inputs)), tmp_path / "out", "arrays", fresh_process=False)
    assert not list(tmp_path.iterdir())


def test_a_layer_of_another_package(tmp_path):
    inputs = keras.Input((2,), name="x")
    model = keras.Model(inputs, Scaled(3.0)(inputs))
    with pytest.raises(ValueError, match="fresh_process=False, and import the module"):
        ut.export.keras_file(model, tmp_path / "out")
    assert not list(tmp_path.iterdir())
    ut.export.keras_file(model, tmp_path / "out", output_name="y", fresh_process=False)
    np.testing.assert_allclose(ut.export.load(tmp_path / "out")({"x": np.ones((1, 2), "float32")})["y"], 3.0)


def test_layers_of_unitools_in_a_fresh_process(tmp_path):
    base = ut.backbones.resnet("resnet18", weights=None, input_shape=(32, 32, 3))
    inputs = keras.Input((32, 32, 3), name="images")
    model = keras.Model(inputs, ut.heads.Classifier(2)(base(base.preprocess(inputs))))
    assert ut.export.keras_file(model, tmp_path / "out", labels=["no", "yes"]).fresh_process
    artefact = ut.export.load(tmp_path / "out")
    pixels = np.random.default_rng(0).uniform(0, 255, (3, 32, 32, 3)).astype("float32")
    expected = model.predict(pixels, verbose=0)
    np.testing.assert_allclose(artefact({"images": pixels})["probabilities"], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CONVERTED)
def test_an_input_of_another_kind_may_be_called_images(name, tmp_path):
    inputs = keras.Input((4,), name="images")
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    assert EXPORTS[name](model, tmp_path / name, "arrays", fresh_process=False).num_examples == 4
    assert ut.export.saved_model(model, tmp_path / "1", "arrays", fresh_process=False).num_examples == 4
