"""The recorded requests, read by TensorFlow Serving's own messages, and asked by the server."""

import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

import unitools as ut
from unitools.export.warm_up_requests import RECORDS
from unitools.serving.models import warm_up

SIZE = (6, 5)


class AsFloat(keras.layers.Layer):
    """Gives what it takes as float32, and of texts the length."""

    def call(self, given):
        lengths = tf.strings.length(given)[:, None] if given.dtype == "string" else given
        return tf.cast(lengths, tf.float32)


def picture_model():
    keras.utils.set_random_seed(0)
    layers = [keras.Input((*SIZE, 3)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")]
    return keras.Sequential(layers)


def export(model, path, *args, **options):
    ut.export.saved_model(model, path, *args, fresh_process=False, **options)
    return path


def logs(path):
    records = list(tf.data.TFRecordDataset(str(path / RECORDS)).as_numpy_iterator())
    return [prediction_log_pb2.PredictionLog.FromString(record) for record in records]


def requests(path):
    """Return [(signature, {input: array})]."""
    return [
        (log.predict_log.request.model_spec.signature_name, arrays_of(log.predict_log.request)) for log in logs(path)
    ]


def arrays_of(request):
    return {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}


def test_pictures_are_recorded_as_bytes_and_as_arrays(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (6, *SIZE, 3)).astype("uint8")
    encoded = [tf.io.encode_png(picture).numpy() for picture in pictures]
    path = export(picture_model(), tmp_path / "1", "image_bytes", examples=encoded)
    found = requests(path)
    names = ["serving_default", "serving_bytes", "serving_images"]
    assert sorted(name for name, _ in found) == sorted(2 * names)
    for name, inputs in found:
        rows = len(next(iter(inputs.values())))
        assert rows in (1, 4)
        if name == "serving_images":
            assert inputs["images"].dtype == np.float32
            np.testing.assert_array_equal(inputs["images"], pictures[:rows])
        else:
            assert inputs["image_bytes"].tolist() == encoded[:rows]


def test_nothing_but_the_first_examples_is_told(tmp_path):
    """Each message holds the fields that were written, and no other: no name of a model, no answer, no address."""
    path = export(picture_model(), tmp_path / "secret-name" / "1", examples=np.zeros((3, *SIZE, 3)), warm_up=2)
    for log in logs(path):
        assert [field.name for field, _ in log.ListFields()] == ["predict_log"]
        assert [field.name for field, _ in log.predict_log.ListFields()] == ["request"]
        request = log.predict_log.request
        assert [field.name for field, _ in request.ListFields()] == ["model_spec", "inputs"]
        assert [field.name for field, _ in request.model_spec.ListFields()] == ["signature_name"]
    assert b"secret" not in (path / RECORDS).read_bytes()


def test_many_inputs_of_several_kinds(tmp_path):
    given = {
        "ids": np.arange(300, dtype="int32").reshape(3, 100),
        "texts": np.array(["a", "ü" * 200, ""], object),
        "half": np.ones((3, 2), "float16"),
        "whether": np.array([[True], [False], [True]]),
    }
    inputs = {
        "ids": keras.Input((100,), dtype="int32", name="ids"),
        "texts": keras.Input((), dtype="string", name="texts"),
        "half": keras.Input((2,), dtype="float16", name="half"),
        "whether": keras.Input((1,), dtype="bool", name="whether"),
    }
    model = keras.Model(inputs, keras.layers.Concatenate(name="all")([AsFloat()(one) for one in inputs.values()]))
    path = export(model, tmp_path / "1", "arrays", examples=given, warm_up=5)
    found = requests(path)
    assert [(name, len(arrays["ids"])) for name, arrays in found] == [
        (name, rows) for name in ("serving_default", "serving_arrays") for rows in (1, 5)
    ]
    for _, arrays in found:
        rows = np.arange(len(arrays["ids"])) % 3  # three examples, five rows
        assert arrays["texts"].tolist() == [given["texts"][row].encode() for row in rows]
        for name in ("ids", "half", "whether"):
            assert arrays[name].dtype == given[name].dtype
            np.testing.assert_array_equal(arrays[name], given[name][rows])


def test_the_server_asks_them(tmp_path, monkeypatch):
    examples = np.random.default_rng(0).uniform(0, 255, (2, *SIZE, 3)).astype("float32")
    export(picture_model(), tmp_path / "m" / "1", examples=examples, warm_up=2)
    assert warm_up.RECORDS == RECORDS
    asked, predict = [], ut.serving.Predictor.predict

    def noted(self, inputs, signature=None):
        answers = predict(self, inputs, signature)
        asked.append((signature, inputs["images"], answers))
        return answers

    monkeypatch.setattr(ut.serving.Predictor, "predict", noted)
    store = ut.serving.ModelStore(tmp_path)
    store.start()
    store.close()
    assert [(name, len(images)) for name, images, _ in asked] == [
        (name, rows) for name in ("serving_default", "serving_images") for rows in (1, 2)
    ]
    for _, images, answers in asked:
        np.testing.assert_array_equal(images, examples[: len(images)])
        assert answers["probabilities"].shape == (len(images), 2)


def test_the_manifest_covers_them(tmp_path):
    path = export(picture_model(), tmp_path / "1")
    assert RECORDS in json.loads((path / "manifest.json").read_text())["files"]
    content = bytearray((path / RECORDS).read_bytes())
    content[-1] ^= 1
    (path / RECORDS).write_bytes(content)
    with pytest.raises(ut.export.UnsafeArtefactError, match="tf_serving_warmup_requests"):
        ut.export.load(path)


def test_none_are_written_when_not_wanted(tmp_path):
    path = export(picture_model(), tmp_path / "1", warm_up=0)
    assert not (path / "assets.extra").exists()
    assert {name for name, _ in requests(export(picture_model(), tmp_path / "2", warm_up=1))} == {
        "serving_default",
        "serving_images",
    }
    assert len(requests(tmp_path / "2")) == 2
    shutil.rmtree(tmp_path / "1")
    for value in (-1, 2000, 1.5, True):
        with pytest.raises(ValueError, match="`warm_up` must be an integer from 0 to 1024.*warm_up=0 to keep"):
            export(picture_model(), tmp_path / "1", warm_up=value)
