"""Exports of models that hold what is for training, compared with numpy, not with the model.

Augmentation, half precision, LoRA, averaged weights, many inputs of many kinds.
"""

import json

import keras
import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut

SIZE = (12, 10)
LABELS = ["ant", "bee", "cat"]


def export(model, path, inputs="images", **options):
    return ut.export.saved_model(model, path, inputs, **{"fresh_process": False} | options)


def serve(path, signature="serving_default", **inputs):
    outputs = tf.saved_model.load(str(path)).signatures[signature](**{k: tf.constant(v) for k, v in inputs.items()})
    return {name: value.numpy() for name, value in outputs.items()}


def pictures(count=5):
    return np.random.default_rng(1).integers(0, 256, (count, *SIZE, 3)).astype("float32")


def softmax(x):
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


def dense(x, layer):
    kernel, bias = (np.asarray(weight, np.float64) for weight in (layer.kernel, layer.bias))
    return x @ kernel + bias


AUGMENTERS = {
    "ours": lambda: [
        ut.data.RandomAffine(rotation=30, zoom=0.2, horizontal_flip=True),
        ut.data.RandomErasing(),
        ut.data.RandAugment(),
    ],
    "composed": lambda: [ut.data.Compose([ut.data.RandomAffine(shear=0.3), ut.data.RandomColor(brightness=0.5)])],
    "of Keras": lambda: [  # random by default, also when they are called
        keras.layers.RandomFlip(),
        keras.layers.RandomRotation(0.3),
        keras.layers.RandomContrast(0.5),
        keras.layers.RandomZoom(0.3),
        keras.layers.GaussianNoise(1.0),
        keras.layers.Dropout(0.5),
    ],
}


@pytest.mark.parametrize("kind", AUGMENTERS)
@pytest.mark.parametrize("inputs", ["images", "image_bytes"])
def test_augmentation_in_the_model_rests(tmp_path, kind, inputs):
    keras.utils.set_random_seed(0)
    head = [keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")]
    model = keras.Sequential([keras.Input((*SIZE, 3)), *AUGMENTERS[kind](), *head])
    x = pictures()
    expected = softmax(dense(x.reshape(len(x), -1) / 255, model.layers[-1]))
    assert np.abs(model(x, training=True) - expected).max() > 1e-3  # random it is
    export(model, tmp_path / "1", inputs, examples=x, labels=LABELS)
    for _ in range(2):
        served = serve(tmp_path / "1", "serving_images", images=x)
        np.testing.assert_allclose(served["probabilities"], expected, rtol=1e-4, atol=1e-5)
    if inputs == "image_bytes":
        encoded = [tf.io.encode_png(picture.astype("uint8")).numpy() for picture in x]
        served = serve(tmp_path / "1", image_bytes=encoded)
        np.testing.assert_allclose(served["probabilities"], expected, rtol=1e-4, atol=1e-5)


HALF = {"mixed_float16": (np.float16, 4e-3), "mixed_bfloat16": (ml_dtypes.bfloat16, 3e-2)}


@pytest.fixture
def policy():
    """Return a function that sets the policy of all layers made from now on in this test."""
    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("name", HALF)
@pytest.mark.parametrize("inside", [True, False], ids=["scaled inside", "preprocess"])
def test_mixed_precision_answers_in_float32(tmp_path, policy, name, inside):
    policy(name)
    keras.utils.set_random_seed(0)
    scale = keras.layers.Rescaling(1 / 255)
    layers = [keras.Input((*SIZE, 3)), *([scale] if inside else []), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(3, "softmax")])
    x = pictures()
    options = {} if inside else {"preprocess": scale}
    export(model, tmp_path / "1", "image_bytes", examples=x, labels=LABELS, top_k=2, **options)
    served = serve(tmp_path / "1", "serving_images", images=x)
    dtype, tolerance = HALF[name]
    assert {served[key].dtype for key in ("probabilities", "score", "scores")} == {np.dtype("float32")}
    exact = softmax(dense(x.reshape(len(x), -1) / 255, model.layers[-1]))
    np.testing.assert_allclose(served["probabilities"], exact, atol=tolerance)
    # It computes in half precision indeed: each answer is one of its numbers.
    np.testing.assert_array_equal(served["probabilities"].astype(dtype).astype("float32"), served["probabilities"])
    assert json.loads((tmp_path / "1" / "signature.json").read_text())["signatures"]["serving_images"]["inputs"] == {
        "images": {"dtype": "float32", "shape": [None, *SIZE, 3]}
    }


@pytest.mark.parametrize("name", HALF)
def test_several_outputs_in_mixed_precision(tmp_path, policy, name):
    policy(name)
    keras.utils.set_random_seed(0)
    x = keras.Input((4,), name="x")
    model = keras.Model(x, {"a": keras.layers.Dense(2)(x), "b": keras.layers.Dense(3, dtype="float32")(x)})
    given = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    export(model, tmp_path / "1", "arrays", examples=given)
    served = serve(tmp_path / "1", x=given)
    first, second = model.layers[1:]
    np.testing.assert_allclose(served["a"], dense(given, first), atol=10 * HALF[name][1])
    np.testing.assert_allclose(served["b"], dense(given, second), rtol=1e-2, atol=HALF[name][1])
    assert served["a"].dtype == served["b"].dtype == np.float32


def adapted(name, model, seed):
    ut.adaptation.LoRA(2, alpha=6, name=name, layers="body").apply(model, seed=seed)
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy")
    random = np.random.default_rng(seed)
    model.fit(random.normal(size=(32, 6)), random.integers(0, 3, 32), epochs=2, verbose=0)


def test_lora_unmerged_merged_and_switched(tmp_path):
    keras.utils.set_random_seed(0)
    layers = [keras.Input((6,), name="x"), keras.layers.Dense(5, name="body"), keras.layers.Dense(3, "softmax")]
    model = keras.Sequential(layers)
    base = np.array(model.layers[0].kernel)
    x = np.random.default_rng(0).normal(size=(9, 6)).astype("float32")
    expected, factors = {}, {}
    for seed, name in enumerate(("one", "two")):
        adapted(name, model, seed)
        (a, b) = (np.array(w, np.float64) for w in model.layers[0].trainable_weights if w.name in ("a", "b"))
        factors[name] = 6 / 2 * a @ b
        assert np.abs(factors[name]).max() > 1e-2
        hidden = x @ (base + factors[name]) + np.array(model.layers[0].bias)
        expected[name] = softmax(dense(hidden, model.layers[1]))
    for name in ("one", "two"):
        ut.adaptation.activate(model, name)
        export(model, tmp_path / name, "arrays", examples=x)
        (found,) = serve(tmp_path / name, x=x).values()
        np.testing.assert_allclose(found, expected[name], rtol=1e-4, atol=1e-5)
    ut.adaptation.merge(model)
    export(model, tmp_path / "merged", "arrays", examples=x)
    (found,) = serve(tmp_path / "merged", x=x).values()
    np.testing.assert_allclose(found, expected["two"], rtol=1e-4, atol=1e-5)
    ut.adaptation.unmerge(model)
    with pytest.raises(ut.export.VerificationError, match="must equal predict"):
        ut.adaptation.activate(model, "one")
        ut.export.verify(tmp_path / "merged", model, x, fresh_process=False)


def regression():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,), name="x"), keras.layers.Dense(1, name="y")])
    x = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
    return model, x, x.sum(-1, keepdims=True)


class Followed(keras.callbacks.Callback):
    """Keeps the weights after each step."""

    def on_train_begin(self, logs=None):
        self.steps = []

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append([np.array(weight, np.float64) for weight in self.model.trainable_weights])


def test_averaged_weights_are_those_that_predict_uses(tmp_path):
    model, x, y = regression()
    model.compile(keras.optimizers.SGD(0.3), "mse")
    average, followed = ut.regularization.ExponentialAverage(0.9), Followed()
    model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0, callbacks=[followed, average])
    kernel, bias = followed.steps[0]
    for t, (next_kernel, next_bias) in enumerate(followed.steps[1:], start=1):
        decay = min(0.9, (1 + t) / (10 + t))
        kernel, bias = decay * kernel + (1 - decay) * next_kernel, decay * bias + (1 - decay) * next_bias
    assert np.abs(kernel - followed.steps[-1][0]).max() > 1e-3
    export(model, tmp_path / "1", "arrays", examples=x)
    np.testing.assert_allclose(serve(tmp_path / "1", x=x)["y"], x @ kernel + bias, rtol=1e-4, atol=1e-5)


def test_averages_of_a_keras_optimizer(tmp_path):
    """They are in the model when `fit` ends; the export holds them, and nothing of the optimizer."""
    model, x, y = regression()
    optimizer = keras.optimizers.Adam(0.3, use_ema=True, ema_momentum=0.8)
    model.compile(optimizer, "mse")
    followed = Followed()
    model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0, callbacks=[followed])
    kernel, bias = followed.steps[0]
    for next_kernel, next_bias in followed.steps[1:]:
        kernel, bias = 0.8 * kernel + 0.2 * next_kernel, 0.8 * bias + 0.2 * next_bias
    export(model, tmp_path / "1", "arrays", examples=x)
    np.testing.assert_allclose(serve(tmp_path / "1", x=x)["y"], x @ kernel + bias, rtol=1e-4, atol=1e-5)
    written = tf.train.load_checkpoint(str(tmp_path / "1/variables/variables")).get_variable_to_shape_map()
    assert sum(int(np.prod(shape)) for name, shape in written.items() if "VARIABLE_VALUE" in name) == 4


def test_the_average_of_the_moment_while_training_goes_on(tmp_path):
    model, x, y = regression()
    model.compile(keras.optimizers.SGD(0.3), "mse")
    average = ut.regularization.ExponentialAverage(0.9)
    exported = {}

    class Export(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            exported["own"] = [np.array(weight) for weight in self.model.weights]
            export(model, tmp_path / "own", "arrays", examples=x)
            with average.averaged():
                exported["average"] = [np.array(weight) for weight in self.model.weights]
                export(model, tmp_path / "average", "arrays", examples=x)

    model.fit(x, y, batch_size=8, shuffle=False, verbose=0, callbacks=[average, Export()])
    assert np.abs(exported["own"][0] - exported["average"][0]).max() > 1e-3
    for name, (kernel, bias) in exported.items():
        np.testing.assert_allclose(serve(tmp_path / name, x=x)["y"], x @ kernel + bias, rtol=1e-4, atol=1e-5)


class AsFloat(keras.layers.Layer):
    """Gives what it takes as float32, and of texts the length."""

    def call(self, given):
        return tf.cast(tf.strings.length(given)[:, None] if given.dtype == "string" else given, tf.float32)


KINDS = {"zeta": "float32", "half": "float16", "small": "uint8", "ids": "int32", "long": "int64", "on": "bool"}


def given_of_all_kinds():
    random = np.random.default_rng(0)
    given = {name: random.integers(0, 2, (70, 2)).astype(dtype) for name, dtype in KINDS.items()}
    given["small"][0], given["long"][0], given["zeta"] = 255, -(2**40), random.normal(size=(70, 2)).astype("float32")
    return given | {"text": np.array([b"x" * (number % 7) for number in range(70)], object)}


def test_a_dict_of_inputs_of_many_kinds(tmp_path):
    """Not in the order of the alphabet; examples in another order; more than a batch of them."""
    inputs = {name: keras.Input((2,), dtype=dtype, name=name) for name, dtype in KINDS.items()}
    inputs["text"] = keras.Input((), dtype="string", name="text")
    joined = keras.layers.Concatenate(dtype="float32")([AsFloat()(one) for one in inputs.values()])
    outputs = {"sum": keras.ops.sum(joined, -1), "many": keras.ops.cast(joined, "int64"), "any": inputs["on"][:, 0]}
    model, given = keras.Model(inputs, outputs), given_of_all_kinds()
    report = export(model, tmp_path / "1", "arrays", examples=dict(reversed(given.items())))
    assert report.num_examples == 70 and not report.made_examples
    contract = json.loads((tmp_path / "1" / "signature.json").read_text())["signatures"]["serving_default"]
    assert {name: one["dtype"] for name, one in contract["inputs"].items()} == KINDS | {"text": "string"}
    served = serve(tmp_path / "1", **given)
    parts = [value.astype("float64") for name, value in given.items() if name != "text"]
    parts.append(np.array([[len(text)] for text in given["text"]]))
    joined = np.concatenate(parts, -1)
    np.testing.assert_allclose(served["sum"], joined.sum(-1), rtol=1e-5)
    np.testing.assert_array_equal(served["many"], joined.astype("float32").astype("int64"))
    np.testing.assert_array_equal(served["any"], given["on"][:, 0])
    assert [served[name].dtype.name for name in ("sum", "many", "any")] == ["float32", "int64", "bool"]
    answers = ut.export.load(tmp_path / "1")(given)
    np.testing.assert_array_equal(answers["sum"], served["sum"])


def test_noise_of_many_kinds_and_examples_that_lack_one(tmp_path):
    inputs = {name: keras.Input((2,), dtype=dtype, name=name) for name, dtype in KINDS.items()}
    model = keras.Model(inputs, keras.layers.Concatenate(name="all")([AsFloat()(one) for one in inputs.values()]))
    assert export(model, tmp_path / "1", "arrays").made_examples
    given = given_of_all_kinds()
    del given["ids"]
    with pytest.raises(ValueError, match="`examples` must be arrays of shapes"):
        export(model, tmp_path / "2", "arrays", examples=given)
    assert not (tmp_path / "2").exists()


def test_lists_within_a_dict(tmp_path):
    a, b, c = (keras.Input((2,), name=name) for name in "aby")
    model = keras.Model({"z": [a, b], "y": c}, {"sums": [a + b, b + c], "one": a - c})
    x = dict(zip("abc", np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32"), strict=True))
    export(model, tmp_path / "1", "arrays", examples={"y": x["c"], "z": [x["a"], x["b"]]})
    served = serve(tmp_path / "1", y=x["c"], z_0=x["a"], z_1=x["b"])
    expected = {"sums_0": x["a"] + x["b"], "sums_1": x["b"] + x["c"], "one": x["a"] - x["c"]}
    assert set(served) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(served[name], value, rtol=1e-6)


def test_all_of_it_at_once_where_only_tensorflow_is_imported(tmp_path, policy):
    policy("mixed_bfloat16")
    keras.utils.set_random_seed(0)
    layers = [keras.Input((*SIZE, 3)), ut.data.RandomAffine(rotation=20), keras.layers.Rescaling(1 / 255)]
    layers += [keras.layers.Conv2D(4, 3), keras.layers.BatchNormalization(), keras.layers.GlobalAveragePooling2D()]
    model = keras.Sequential([*layers, keras.layers.Dense(4, name="body"), keras.layers.Dense(3, "softmax")])
    ut.adaptation.LoRA(2, layers="body").apply(model, seed=0)
    model.compile("adam", "sparse_categorical_crossentropy")
    average = ut.regularization.ExponentialAverage(0.5)
    x = pictures(8)
    model.fit(x, np.arange(8) % 3, epochs=2, batch_size=2, verbose=0, callbacks=[average])
    options = {"labels": LABELS, "top_k": 3, "examples": x, "fresh_process": True}
    report = export(model, tmp_path / "1", "image_bytes", **options)
    assert report.fresh_process and set(report.differences) == {"serving_default", "serving_bytes", "serving_images"}
    served = serve(tmp_path / "1", "serving_images", images=x)
    np.testing.assert_allclose(served["probabilities"], model.predict(x, verbose=0).astype("float32"), atol=2e-2)
