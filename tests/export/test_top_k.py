"""The k most probable labels: against numpy, with ties, and through the server."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from unitools.export.compare import compare
from unitools.export.ties import equal_but_for_ties

LABELS = ["ant", "bee", "cat", "dog", "élan"]


def classifier(units=5, activation="softmax"):
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((4,), name="x"), keras.layers.Dense(units, activation)])


def export(model, path, inputs="arrays", **options):
    return ut.export.saved_model(model, path, inputs, fresh_process=False, **options)


def serve(path, signature="serving_default", **inputs):
    outputs = tf.saved_model.load(str(path)).signatures[signature](**{k: tf.constant(v) for k, v in inputs.items()})
    return {name: value.numpy() for name, value in outputs.items()}


@pytest.mark.parametrize("top_k", [1, 3, 5])
def test_labels_and_scores_are_the_highest(tmp_path, top_k):
    model, x = classifier(), np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
    export(model, tmp_path / "1", labels=LABELS, top_k=top_k, examples=x)
    served, predicted = serve(tmp_path / "1", x=x), model.predict(x, verbose=0)
    order = np.argsort(-predicted, axis=-1, kind="stable")[:, :top_k]
    assert served["labels"].shape == served["scores"].shape == (20, top_k)
    assert served["scores"].dtype == np.float32
    assert [[name.decode() for name in row] for row in served["labels"]] == np.array(LABELS)[order].tolist()
    np.testing.assert_allclose(served["scores"], np.take_along_axis(predicted, order, -1), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(served["labels"][:, 0], served["label"])
    np.testing.assert_array_equal(served["scores"][:, 0], served["score"])
    outputs = json.loads((tmp_path / "1" / "signature.json").read_text())["signatures"]["serving_default"]["outputs"]
    assert outputs["labels"] == {"dtype": "string", "shape": [None, top_k]}
    assert outputs["scores"] == {"dtype": "float32", "shape": [None, top_k]}


def test_one_sigmoid_unit(tmp_path):
    model, x = classifier(1, "sigmoid"), np.random.default_rng(0).normal(size=(9, 4)).astype("float32")
    export(model, tmp_path / "1", labels=["no", "yes"], top_k=2, examples=x)
    served, p = serve(tmp_path / "1", x=x), model.predict(x, verbose=0)[:, 0]
    assert served["labels"].tolist() == [[b"yes", b"no"] if one > 0.5 else [b"no", b"yes"] for one in p]
    np.testing.assert_allclose(served["scores"], np.stack([np.maximum(p, 1 - p), np.minimum(p, 1 - p)], -1), rtol=1e-4)


def test_pictures_and_an_empty_batch(tmp_path):
    layers = [keras.Input((8, 8, 3)), keras.layers.Rescaling(1 / 255), keras.layers.Flatten()]
    export(
        keras.Sequential([*layers, keras.layers.Dense(5, "softmax")]),
        tmp_path / "1",
        "image_bytes",
        labels=LABELS,
        top_k=2,
    )
    for count in (0, 3):
        encoded = tf.constant([tf.io.encode_png(np.zeros((8, 8, 3), "uint8")).numpy()] * count, tf.string)
        served = serve(tmp_path / "1", image_bytes=encoded)
        assert served["labels"].shape == served["scores"].shape == (count, 2)


def test_equally_probable_classes_are_no_difference(tmp_path):
    model = classifier()
    model.layers[-1].set_weights([np.zeros((4, 5)), np.zeros(5)])
    export(model, tmp_path / "1", labels=LABELS, top_k=3)
    served = serve(tmp_path / "1", x=np.zeros((1, 4), "float32"))
    assert [name.decode() for name in served["labels"][0]] == LABELS[:3]  # of equal ones the first


def test_the_server_gives_them(tmp_path):
    model, x = classifier(), np.random.default_rng(0).normal(size=(2, 4)).astype("float32")
    export(model, tmp_path / "m" / "1", labels=LABELS, top_k=2, examples=x)
    expected = serve(tmp_path / "m" / "1", x=x)
    with ut.serving.Server(tmp_path, port=0) as server, ut.serving.Client(server.url) as client:
        answers = client.predict("m", {"x": x})
    assert np.array(answers["labels"]).tolist() == expected["labels"].tolist()
    np.testing.assert_allclose(answers["scores"], expected["scores"], rtol=1e-6)


def test_verify_finds_another_order(tmp_path):
    model = classifier()
    export(model, tmp_path / "1", labels=LABELS, top_k=2)
    (tmp_path / "1" / "assets" / "labels.txt").write_text("\n".join(reversed(LABELS)) + "\n")
    with pytest.raises(ut.export.VerificationError, match="`labels?` of signature"):
        ut.export.verify(tmp_path / "1", model, fresh_process=False)


@pytest.mark.parametrize("top_k", [0, 6, 2.0, True, "3"])
def test_numbers_out_of_range(tmp_path, top_k):
    with pytest.raises(ValueError, match="`top_k` must be an integer from 1 to 5"):
        export(classifier(), tmp_path / "1", labels=LABELS, top_k=top_k)
    with pytest.raises(ValueError, match="`top_k` must be None where no labels are given"):
        export(classifier(), tmp_path / "1", top_k=2)
    assert list(tmp_path.iterdir()) == []


P = [0.4, 0.3, 0.15, 0.1499, 0.0001]
REFERENCE = [b"ant", b"bee", b"cat"]


@pytest.mark.parametrize(
    ("labels", "equal"),
    [
        ([b"ant", b"bee", b"cat"], True),
        ([b"ant", b"bee", b"dog"], True),  # cat and dog are a tie, which goes on beyond the third
        ([b"bee", b"ant", b"cat"], False),
        ([b"ant", b"ant", b"cat"], False),
        ([b"ant", b"bee", b"ant"], False),
        ([b"ant", b"cat", b"bee"], False),
        ([b"dog", b"bee", b"cat"], False),
    ],
)
def test_ties_at_the_end(labels, equal):
    assert equal_but_for_ties(np.array([labels], object), np.array([REFERENCE], object), np.array([P]), 1e-3) == equal


def test_ties_within_and_in_chains():
    p = np.array([[0.3, 0.2995, 0.299, 0.1015]])  # each is within 0.001 of the next
    reference = np.array([[b"ant", b"bee", b"cat", b"dog"]], object)
    for labels, equal in (("cat ant bee dog", True), ("cat ant cat dog", False), ("cat ant dog bee", False)):
        given = np.array([[name.encode() for name in labels.split()]], object)
        assert equal_but_for_ties(given, reference, p, 1e-3) == equal
    assert not equal_but_for_ties(given[:, ::-1], reference, p, 1e-4)


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"labels": [[b"ant", b"cat"]]}, "labels"),
        ({"scores": np.array([[0.7, 0.1]], "float32")}, "scores"),
        ({"label": [b"bee"]}, "label"),
    ],
)
def test_each_output_is_compared(changed, key):
    expected = {"probabilities": np.array([[0.7, 0.2, 0.1]], "float32"), "label": np.array([b"ant"], object)}
    expected |= {"score": np.array([0.7], "float32"), "labels": np.array([[b"ant", b"bee"]], object)}
    expected |= {"scores": np.array([[0.7, 0.2]], "float32")}
    answers = {name: tf.constant(value) for name, value in expected.items()}
    assert compare("s", answers, expected, 1e-4, 1e-5) == 0
    with pytest.raises(ut.export.VerificationError, match=f"`{key}` of signature"):
        compare("s", answers | {name: tf.constant(value) for name, value in changed.items()}, expected, 1e-4, 1e-5)


def test_outputs_of_others_called_labels_are_compared_as_they_are():
    tags = {"labels": np.array([[b"O", b"PER"]], object)}
    even = np.full((1, 2, 3), 1 / 3, "float32")
    for more in (
        {},
        {"probabilities": even},
        {"scores": even[..., 0]},
        {"probabilities": even, "scores": even[..., 0]},
    ):
        expected = tags | more
        answers = {name: tf.constant(value) for name, value in expected.items()}
        assert compare("s", answers, expected, 1e-4, 1e-5) == 0
        with pytest.raises(ut.export.VerificationError, match="`labels`"):
            compare("s", answers | {"labels": tf.constant([[b"PER", b"O"]])}, expected, 1e-4, 1e-5)
