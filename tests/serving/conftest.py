import io
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import unitools as ut

SIDE = 8


@keras.saving.register_keras_serializable("tests")
class LengthOfText(keras.layers.Layer):
    """Gives the number of bytes of each text, and 1."""

    def call(self, texts):
        import tensorflow as tf

        lengths = tf.cast(tf.strings.length(texts), tf.float32)
        return tf.stack([lengths, tf.ones_like(lengths)], axis=-1)


def picture_model():
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3), name="images"),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, "softmax"),
        ]
    )


def text_model():
    keras.utils.set_random_seed(2)
    texts = keras.Input((), dtype="string", name="texts")
    return keras.Model(texts, keras.layers.Dense(2, "softmax")(LengthOfText()(texts) / 20.0))


def pair_model():
    """Return a model of two inputs and two outputs."""
    keras.utils.set_random_seed(3)
    numbers, ids = keras.Input((4,), name="numbers"), keras.Input((2,), dtype="int32", name="ids")
    joined = keras.layers.Concatenate()([numbers, keras.layers.Flatten()(keras.layers.Embedding(5, 3)(ids))])
    return keras.Model(
        {"numbers": numbers, "ids": ids},
        {"sums": keras.layers.Dense(2)(joined), "kinds": keras.layers.Dense(3, "softmax")(joined)},
    )


@pytest.fixture(scope="session")
def models():
    return {"pictures": picture_model(), "texts": text_model(), "pairs": pair_model()}


@pytest.fixture(scope="session")
def exports(models, tmp_path_factory):
    """Return a folder of three served models."""
    folder = tmp_path_factory.mktemp("serving")
    here = {"fresh_process": False, "warm_up": 0}
    ut.export.saved_model(models["pictures"], folder / "pictures" / "1", "image_bytes", labels=list("abc"), **here)
    ut.export.saved_model(models["texts"], folder / "texts" / "3", "arrays", labels=["short", "long"], **here)
    ut.export.saved_model(models["pairs"], folder / "pairs" / "1", "arrays", **here)
    return folder


@pytest.fixture(scope="session")
def server(exports):
    limits = ut.serving.Limits(max_body_bytes=2**20)
    with ut.serving.Server(exports, port=0, grpc_port=0, settings=ut.serving.ServerSettings(limits=limits)) as running:
        yield running


@pytest.fixture(scope="session")
def png():
    """Return a function from a seed to the bytes of a picture of the model's size."""

    def made(seed):
        pixels = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "PNG")
        return stream.getvalue()

    return made


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Return the paths of a certificate for 127.0.0.1 and localhost, and of its key."""
    import subprocess

    folder: Path = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "certificate.pem", folder / "key.pem"
