"""First calls: as recorded in the folder, or made."""

import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

import unitools as ut
from unitools.serving.models.warm_up import RECORDS, warm_up
from unitools.serving.rpc.tensors import to_proto


class Counted(ut.serving.Predictor):
    """Notes what it is asked."""

    def predict(self, inputs, signature=None):
        self.asked.append((signature, {name: np.shape(value) for name, value in inputs.items()}))
        return super().predict(inputs, signature)


def asked_at_start(path):
    predictor = Counted(path, require_manifest=False)
    predictor.asked = []
    assert warm_up(predictor) == len(predictor.asked)
    return predictor.asked


def test_numbers_are_made(exports):
    asked = asked_at_start(exports / "pairs" / "1")
    assert sorted((name, shapes["numbers"], shapes["ids"]) for name, shapes in asked) == [
        (name, (rows, 4), (rows, 2)) for name in ("serving_arrays", "serving_default") for rows in (1, 8)
    ]
    # Strings cannot be made up: what a model reads in them is unknown.
    assert {name for name, _ in asked_at_start(exports / "pictures" / "1")} == {"serving_images"}
    assert asked_at_start(exports / "texts" / "3") == []


def test_requests_in_the_folder_are_asked(exports, tmp_path):
    path = tmp_path / "1"
    shutil.copytree(exports / "texts" / "3", path)
    (path / "manifest.json").unlink()
    (path / RECORDS).parent.mkdir()
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.name, request.model_spec.signature_name = "texts", "serving_arrays"
    request.inputs["texts"].CopyFrom(to_proto(np.array([b"a", b"b", b"c"], object)))
    with tf.io.TFRecordWriter(str(path / RECORDS)) as writer:
        writer.write(log.SerializeToString())
        request.inputs["texts"].CopyFrom(to_proto(np.zeros(2, np.float32)))  # does not fit: no reason to refuse
        writer.write(log.SerializeToString())
    assert asked_at_start(path) == [("serving_arrays", {"texts": (3,)}), ("serving_arrays", {"texts": (2,)})]
    content = bytearray((path / RECORDS).read_bytes())
    content[20] ^= 1
    (path / RECORDS).write_bytes(content)
    with pytest.raises(tf.errors.DataLossError):
        asked_at_start(path)
