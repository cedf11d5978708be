import numpy as np
import pytest
import tensorflow as tf

import unitools as ut


class ParityScores(ut.metrics.CountedScores):
    """Rows of a user's own: even and odd labels."""

    def __init__(self, **kwargs):
        super().__init__(**{"average": "micro", "ignore_class": -1, "name": "parity"} | kwargs)
        self.count_rows(("even", "odd"))

    def counts(self, labels, tags, counted):
        rows = [tf.boolean_mask(each % 2, counted) for each in (labels, tags)]
        right = tf.boolean_mask(rows[0], rows[0] == rows[1])
        return tuple(tf.math.bincount(each, minlength=2) for each in (right, rows[1], rows[0]))


def test_rows_of_a_subclass():
    metric = ParityScores()
    metric.update_state(np.array([[2, 3, 5, -1]]), np.array([[4, 1, 2, 2]]))
    report = metric.report().as_dict()
    assert report["even"] == {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "support": 1}
    assert float(metric.result()["parity_f1"]) == pytest.approx(2 / 3)


def test_without_counts():
    metric = ut.metrics.CountedScores(average="micro", ignore_class=None, name="none")
    metric.count_rows(("all",))
    with pytest.raises(NotImplementedError, match="counts"):
        metric.update_state(np.zeros((1, 2), int), np.zeros((1, 2), int))


def test_counts_stay_exact_beyond_float32():
    metric = ParityScores()
    metric._correct.assign([2**24, 0])
    metric._predicted.assign([2**24, 0])
    metric._support.assign([2**24, 0])
    metric.update_state(np.array([[2]]), np.array([[2]]))
    assert metric.report().as_dict()["even"]["support"] == 2**24 + 1
