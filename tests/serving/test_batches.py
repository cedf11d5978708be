"""Requests that run together get their own rows, whatever the others asked."""

import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from unitools.serving.models.batcher import Batcher


def run_together(predictor, requests, signature="serving_default"):
    """Return the answers, or errors, of requests that were all queued before the first one ran."""
    batcher = Batcher(predictor, signature, ut.serving.Batching())
    with batcher._changed:  # the worker waits for this lock
        futures = [batcher.submit(predictor.check(inputs, signature)) for inputs in requests]
    answers = [future.exception(20) or future.result() for future in futures]
    batcher.close()
    return answers


def check_equal(answers, predictor, requests):
    for answer, inputs in zip(answers, requests, strict=True):
        for name, value in predictor.predict(inputs).items():
            if value.dtype == object:
                assert answer[name].tolist() == value.tolist()
            else:
                np.testing.assert_allclose(answer[name], value, rtol=0, atol=1e-6)


@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_request_without_rows_moves_nobody_elses(exports, place):
    predictor = ut.serving.Predictor(exports / "texts" / "3")
    requests = [{"texts": ["a"]}, {"texts": ["b" * 50]}, {"texts": ["c" * 9, "d" * 70]}]
    requests.insert(place, {"texts": []})
    answers = run_together(predictor, requests)
    assert [len(answer["label"]) for answer in answers] == [len(one["texts"]) for one in requests]
    check_equal(answers, predictor, requests)


def test_rows_that_do_not_match_are_not_filled_up_by_others(exports):
    predictor = ut.serving.Predictor(exports / "pairs" / "1")

    def pair(numbers, ids):
        return {"numbers": np.ones((numbers, 4), np.float32), "ids": np.ones((ids, 2), np.int32)}

    short, good, long = run_together(predictor, [pair(2, 1), pair(2, 2), pair(1, 2)])
    assert [error.status for error in (short, long)] == [400, 400]
    check_equal([good], predictor, [pair(2, 2)])


class Words(tf.Module):
    """Splits texts: as many outputs as there are words."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="texts")])
    def split(self, texts):
        return {"words": tf.strings.split(texts).flat_values}


def test_outputs_that_are_not_rows_are_not_cut(tmp_path):
    module = Words()
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": module.split})
    predictor = ut.serving.Predictor(tmp_path, require_manifest=False)
    answers = run_together(predictor, [{"texts": ["a b c"]}, {"texts": ["d"]}, {"texts": ["e f", "g"]}])
    found = [answer["words"].tolist() for answer in answers]
    assert found == [[b"a", b"b", b"c"], [b"d"], [b"e", b"f", b"g"]]


class Scale(tf.Module):
    """Takes a number without axes."""

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32, name="x"), tf.TensorSpec([None], tf.float32, name="y")])
    def scale(self, x, y):
        return {"scaled": x * y}


def test_inputs_without_axes_run_alone(tmp_path):
    module = Scale()
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": module.scale})
    predictor = ut.serving.Predictor(tmp_path, require_manifest=False)
    answers = run_together(predictor, [{"x": 2.0, "y": [1.0, 2.0]}, {"x": 3.0, "y": [1.0]}])
    assert [answer["scaled"].tolist() for answer in answers] == [[2.0, 4.0], [3.0]]
