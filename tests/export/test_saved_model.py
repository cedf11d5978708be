"""Served equals trained: exports of small networks, called through plain tf.saved_model.load."""

import json
import os
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import unitools as ut

SIZE = (24, 20)
LABELS = ["daisy", "dandelion", "roses"]


def cnn(units=3, activation="softmax", channels=3, size=SIZE, dtype=None):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((*size, channels))
    x = keras.layers.RandomFlip()(keras.layers.Rescaling(1 / 255)(inputs))  # unscaled, softmax would saturate
    x = keras.layers.GaussianNoise(0.5)(x)
    x = keras.layers.Conv2D(4, 3, dtype=dtype)(x)
    x = keras.layers.BatchNormalization(dtype=dtype)(x)
    x = keras.layers.GlobalAveragePooling2D(dtype=dtype)(keras.layers.ReLU(dtype=dtype)(x))
    return keras.Model(inputs, keras.layers.Dense(units, activation=activation, dtype=dtype)(x))


def images(count=5, size=SIZE, channels=3):
    return np.random.default_rng(1).integers(0, 256, (count, *size, channels)).astype("float32")


def export(model, path, *args, **options):
    return ut.export.saved_model(model, path, *args, fresh_process=False, **options)


def serve(path, signature="serving_default", **inputs):
    outputs = tf.saved_model.load(str(path)).signatures[signature](**{k: tf.constant(v) for k, v in inputs.items()})
    return {name: value.numpy() for name, value in outputs.items()}


def names_in(folder):
    return sorted(entry.name for entry in Path(folder).iterdir())


@pytest.fixture
def target(tmp_path):
    return tmp_path / "flowers" / "1"


def test_bytes_signature_on_real_pictures_in_a_fresh_process(target, shared_data):
    files = sorted(shared_data("flower_photos").glob("val/*/*.jpg"))[::60]
    model, scale = cnn(), keras.layers.Rescaling(1 / 255)
    report = ut.export.saved_model(model, target, "image_bytes", labels=LABELS, examples=files, preprocess=scale)
    assert report.fresh_process and not report.made_examples and report.num_examples == len(files)
    assert set(report.differences) == {"serving_default", "serving_bytes", "serving_images"}
    # The reference goes by Pillow for the pixels, and by tf.image for the resize that training uses.
    pixels = [tf.image.resize(np.asarray(Image.open(file).convert("RGB")), SIZE) / 255 for file in files]
    expected = model.predict(np.stack(pixels), verbose=0)
    served = serve(target, image_bytes=[file.read_bytes() for file in files])
    np.testing.assert_allclose(served["probabilities"], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(served["label"], np.array(LABELS, object)[expected.argmax(-1)].astype(bytes))
    np.testing.assert_allclose(served["score"], expected.max(-1), rtol=1e-4)
    assert (target / "assets" / "labels.txt").read_text().split() == LABELS


def test_random_layers_rest_at_serving(target):
    model = cnn()
    export(model, target, examples=images())
    first, second = (serve(target, images=images())["probabilities"] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, model.predict(images(), verbose=0), rtol=1e-4, atol=1e-5)
    assert not np.allclose(model(images(), training=True), first)  # the layers are random indeed


def test_a_model_random_at_inference_is_refused_and_leaves_nothing(target):
    inputs = keras.Input((*SIZE, 3))
    noise = keras.layers.Lambda(lambda x: x + tf.random.normal(tf.shape(x), stddev=50.0))(inputs)
    model = keras.Model(inputs, cnn()(noise))
    with pytest.raises(ut.export.VerificationError, match="random"):
        export(model, target)
    assert names_in(target.parent) == []


def test_half_precision_answers_in_float32(target):
    for dtype in ("mixed_float16", "mixed_bfloat16"):
        model = cnn(dtype=dtype)
        assert model.predict(images(), verbose=0).dtype != np.float32
        export(model, target, examples=images(), overwrite=True)
        assert serve(target, images=images())["probabilities"].dtype == np.float32


def test_any_batch_size_and_none(target):
    model = cnn()
    export(model, target, "image_bytes", labels=LABELS)
    for count in (0, 1, 7):
        encoded = [tf.io.encode_png(picture.astype("uint8")).numpy() for picture in images(count)]
        served = serve(target, image_bytes=tf.constant(encoded, tf.string))
        assert served["probabilities"].shape == (count, 3) and served["label"].shape == (count,)


def test_grey_model_takes_colour_pictures(target):
    model = cnn(channels=1)
    export(model, target, "image_bytes")
    encoded = tf.io.encode_jpeg(np.zeros((9, 11, 3), "uint8")).numpy()
    expected = model.predict(np.zeros((1, *SIZE, 1)), verbose=0)
    np.testing.assert_allclose(serve(target, image_bytes=[encoded])["probabilities"], expected, rtol=1e-4)


def test_a_model_of_any_size_needs_image_size_for_bytes(target):
    model = cnn(size=(None, None))
    with pytest.raises(ValueError, match="image_size"):
        export(model, target, "image_bytes")
    export(model, target, "image_bytes", image_size=(16, 18))
    assert serve(target, "serving_images", images=images(2, (16, 18)))["probabilities"].shape == (2, 3)


def test_one_sigmoid_unit_has_two_labels(target):
    model = cnn(units=1, activation="sigmoid")
    export(model, target, labels=["no", "yes"])
    served, p = serve(target, images=images()), model.predict(images(), verbose=0)[:, 0]
    np.testing.assert_allclose(served["score"], np.maximum(p, 1 - p), rtol=1e-4)
    assert [label == b"yes" for label in served["label"]] == list(p > 0.5)


def test_arrays_of_many_inputs_are_named_cleanly(target):
    first, second = keras.Input((3,), name="token ids", dtype="int32"), keras.Input((3,))
    x = keras.layers.Embedding(5, 4, mask_zero=True)(first)
    x = keras.layers.Concatenate()([keras.layers.LSTM(3)(x), second])
    model = keras.Model([first, second], {"mean": keras.layers.Dense(1)(x), "class": keras.layers.Dense(2)(x)})
    export(model, target, "arrays")
    given = np.array([[1, 2, 0], [3, 0, 0]], "int32"), np.ones((2, 3), "float32")
    served, expected = serve(target, token_ids=given[0], inputs=given[1]), model.predict(list(given), verbose=0)
    assert set(served) == {"mean", "class"}
    for name, value in served.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-4, atol=1e-5)


def test_arrays_in_a_dict_keep_their_keys(target):
    inputs = {name: keras.Input((size,), name=name) for name, size in (("width", 2), ("age", 1))}
    model = keras.Model(inputs, keras.layers.Dense(1, name="price")(keras.layers.Concatenate()(list(inputs.values()))))
    given = {"width": np.ones((2, 2), "float32"), "age": np.zeros((2, 1), "float32")}
    export(model, target, "arrays", examples=given)
    np.testing.assert_allclose(serve(target, **given)["price"], model.predict(given, verbose=0), rtol=1e-4)


def test_contract_and_variables(target):
    model = cnn()
    model.compile("adam", "categorical_crossentropy", jit_compile=True)
    export(model, target, "image_bytes", labels=LABELS)
    contract = json.loads((target / "signature.json").read_text())
    loaded = tf.saved_model.load(str(target))
    assert set(contract["signatures"]) == set(loaded.signatures)
    for name, signature in contract["signatures"].items():
        traced = loaded.signatures[name]
        assert set(traced.structured_input_signature[1]) == set(signature["inputs"])
        assert set(traced.structured_outputs) == set(signature["outputs"])
    assert len(loaded.trainable_variables) == len(model.trainable_variables)


def test_existing_folder_is_kept_unless_overwritten(target):
    target.mkdir(parents=True)
    (target / "mine.txt").write_text("old")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        export(cnn(), target)
    with pytest.raises(ValueError, match="End the model with softmax"):
        export(cnn(activation=None), target, overwrite=True)
    assert names_in(target) == ["mine.txt"]
    export(cnn(), target, overwrite=True)
    assert not (target / "mine.txt").exists() and names_in(target.parent) == ["1"]


def test_logits_pass_under_another_name(target):
    export(cnn(activation=None), target, output_name="logits")
    assert set(serve(target, images=images())) == {"logits"}


def test_a_corrupt_picture_is_an_error_of_the_call(target):
    export(cnn(), target, "image_bytes")
    with pytest.raises(tf.errors.InvalidArgumentError):
        serve(target, image_bytes=[b"no picture"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inputs": "pictures"}, "`inputs` must be one of"),
        ({"labels": ["a", "b"]}, "`labels` must be"),
        ({"labels": ["a", "a", "b"]}, "distinct"),
        ({"examples": np.zeros((2, 5, 5, 3))}, "`examples` must be"),
        ({"labels": LABELS, "output_name": "logits"}, "`output_name` must be"),
        ({"examples": []}, "`examples` must be"),
        ({"image_size": (10, 10)}, "`image_size` must be"),
        ({"inputs": "arrays", "preprocess": keras.layers.Rescaling(1.0)}, "`preprocess` must be"),
    ],
)
def test_bad_arguments(target, options, message):
    with pytest.raises(ValueError, match=message):
        export(cnn(), target, **options)
    assert not target.exists() and (not target.parent.exists() or names_in(target.parent) == [])


def test_models_that_cannot_be_named(target):
    with pytest.raises(ValueError, match="built"):
        export(keras.Sequential([keras.layers.Dense(2)]), target)
    with pytest.raises(ValueError, match='Give inputs="arrays"'):
        export(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]), target)
    with pytest.raises(ValueError, match="of free batch size"):
        export(keras.Sequential([keras.Input(batch_shape=(2, 4)), keras.layers.Dense(2)]), target, "arrays")


def test_verify_finds_other_weights(target):
    model = cnn()
    export(model, target)
    model.layers[-1].bias.assign([3.0, 0.0, 0.0])
    with pytest.raises(ut.export.VerificationError, match="must equal predict"):
        ut.export.verify(target, model, fresh_process=False)
    with pytest.raises(ValueError, match=r"signature\.json"):
        ut.export.verify(os.fspath(target.parent), model)


def test_each_weight_is_written_once(tmp_path):
    model = cnn()
    export(model, tmp_path / "1")
    shapes = tf.train.load_checkpoint(str(tmp_path / "1/variables/variables")).get_variable_to_shape_map()
    written = sum(int(np.prod(shape)) for name, shape in shapes.items() if name != "_CHECKPOINTABLE_OBJECT_GRAPH")
    assert written == sum(int(np.prod(variable.shape)) for variable in model.variables)  # seeds among them


def test_one_input_of_a_dict_takes_an_array(target):
    inputs = keras.Input((4,), name="features")
    model = keras.Model({"features": inputs}, keras.layers.Dense(2)(inputs))
    assert export(model, target, "arrays", examples=np.ones((3, 4))).num_examples == 3
    with pytest.raises(ValueError, match="arrays of shapes.*\\(3, 5\\)"):
        export(model, target.with_name("2"), "arrays", examples=np.ones((3, 5)))
