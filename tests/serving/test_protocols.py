"""The three protocols answer as `predict` does."""

import io
import json
import urllib.request

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import unitools as ut

PROTOCOLS = ("tensorflow", "open-inference", "grpc")


@pytest.fixture(params=PROTOCOLS)
def client(request, server):
    address = server.grpc_address if request.param == "grpc" else server.url
    with ut.serving.Client(address, protocol=request.param, retries=0) as made:
        yield made


def post(url, content):
    request = urllib.request.Request(url, json.dumps(content).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())


def test_200_random_requests_equal_predict(client, models, png):
    random = np.random.default_rng(7)
    for number in range(200):
        rows = int(random.integers(1, 5))
        kind = ("pictures", "texts", "pairs")[number % 3]
        if kind == "pictures":
            given = [png(1000 * number + row) for row in range(rows)]
            pixels = np.stack([np.asarray(Image.open(io.BytesIO(one)), np.float32) for one in given])
            expected = {"probabilities": models[kind].predict(pixels, verbose=0)}
            inputs = {"image_bytes": np.array(given, object)}
        elif kind == "texts":
            texts = ["ä" * int(random.integers(0, 60)) for _ in range(rows)]
            expected = {"probabilities": models[kind].predict(tf.constant(texts), verbose=0)}
            inputs = {"texts": texts}
        else:
            inputs = {
                "numbers": random.normal(size=(rows, 4)).astype(np.float32),
                "ids": random.integers(0, 5, (rows, 2)).astype(np.int32),
            }
            expected = models[kind].predict(inputs, verbose=0)
        answer = client.predict(kind, inputs)
        for name, value in expected.items():
            np.testing.assert_allclose(answer[name], value, rtol=0, atol=1e-6)
            assert answer[name].dtype == value.dtype


def test_labels_come_as_bytes(client, png):
    answer = client.predict("pictures", {"image_bytes": [png(1), png(2)]})
    best = [b"abc"[place : place + 1] for place in answer["probabilities"].argmax(axis=-1)]
    assert answer["label"].tolist() == best
    np.testing.assert_array_equal(answer["score"], answer["probabilities"].max(axis=-1))


def test_signatures_and_versions_are_chosen(client):
    images = np.zeros((1, 8, 8, 3), np.float32)
    answer = client.predict("pictures", {"images": images}, version=1, signature="serving_images")
    assert answer["probabilities"].shape == (1, 3)
    for options, status in (({"version": 2}, 404), ({"signature": "other"}, 404)):
        with pytest.raises(ut.serving.ServingError) as refused:
            client.predict("pictures", {"images": images}, **options)
        assert refused.value.status == status


def test_metadata_and_status(client):
    told = client.metadata("pairs")
    assert told["version"] == 1
    signature = told["signatures"]["serving_default"]
    assert signature["inputs"] == {
        "numbers": {"dtype": "float32", "shape": [None, 4]},
        "ids": {"dtype": "int32", "shape": [None, 2]},
    }
    assert signature["outputs"]["kinds"] == {"dtype": "float32", "shape": [None, 3]}
    assert client.status("texts") == [{"version": 3, "state": "AVAILABLE", "error": ""}]
    assert client.ready("texts")


def test_lists_take_the_dtypes_of_the_model(client, models):
    answer = client.predict("pairs", {"numbers": [[1, 2, 3, 4]], "ids": [[0, 1]]})
    given = {"numbers": np.array([[1, 2, 3, 4]], np.float32), "ids": np.array([[0, 1]], np.int32)}
    np.testing.assert_allclose(answer["sums"], models["pairs"].predict(given, verbose=0)["sums"], atol=1e-6)


def test_rows_and_columns_of_tensorflow_serving(server):
    path = f"{server.url}/v1/models/pairs:predict"
    rows = post(
        path, {"instances": [{"numbers": [0, 0, 0, 1], "ids": [0, 1]}, {"numbers": [1, 0, 0, 0], "ids": [2, 3]}]}
    )
    columns = post(path, {"inputs": {"numbers": [[0, 0, 0, 1], [1, 0, 0, 0]], "ids": [[0, 1], [2, 3]]}})
    assert set(columns["outputs"]) == {"sums", "kinds"}
    assert [row["sums"] for row in rows["predictions"]] == columns["outputs"]["sums"]


def test_one_output_has_no_name(tmp_path, models):
    import keras

    layers = [keras.Input((2,), name="features"), keras.layers.Dense(1, kernel_initializer="ones")]
    ut.export.saved_model(keras.Sequential(layers), tmp_path / "sum" / "1", "arrays", fresh_process=False)
    with ut.serving.Server(tmp_path, port=0) as own:
        path = f"{own.url}/v1/models/sum:predict"
        assert post(path, {"instances": [[1, 2], [3, 4]]}) == {"predictions": [[3.0], [7.0]]}
        assert post(path, {"inputs": [[1, 2]]}) == {"outputs": [[3.0]]}
        with ut.serving.Client(own.url) as client:
            (value,) = client.predict("sum", {"features": [[1, 2]]}).values()
        np.testing.assert_array_equal(value, [[3.0]])


def test_open_inference_gives_back_the_id_and_the_outputs_asked_for(server):
    data = {"name": "texts", "shape": [2], "datatype": "BYTES", "data": ["a", "b" * 50]}
    content = {"id": "7", "inputs": [data], "outputs": [{"name": "label"}]}
    answer = post(f"{server.url}/v2/models/texts/infer", content)
    assert (answer["id"], answer["model_name"], answer["model_version"]) == ("7", "texts", "3")
    assert [one["name"] for one in answer["outputs"]] == ["label"]
    assert answer["outputs"][0]["shape"] == [2]


def test_bytes_that_are_no_text_come_back_whole(tmp_path):
    import keras

    given = keras.Input((), dtype="string", name="given")
    model = keras.Model(given, keras.layers.Identity(name="same", dtype="string")(given))
    examples = np.array([b"a", b"\xff\x00"], object)
    ut.export.saved_model(model, tmp_path / "echo" / "1", "arrays", examples=examples, fresh_process=False)
    with ut.serving.Server(tmp_path, port=0, grpc_port=0) as own:
        for protocol in PROTOCOLS:
            address = own.grpc_address if protocol == "grpc" else own.url
            with ut.serving.Client(address, protocol=protocol) as client:
                (value,) = client.predict("echo", {"given": examples}).values()
            assert value.tolist() == examples.tolist()
