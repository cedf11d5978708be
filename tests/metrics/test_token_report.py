import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import accuracy_score, classification_report

import unitools as ut

TAGS = ("O", "B-LOC", "I-LOC", "B-PER")


def sklearns_report(labels, predicted):
    """scikit-learn's table; its micro average over all classes is the accuracy, under another name."""
    counted = labels >= 0
    expected = classification_report(
        labels[counted], predicted[counted], labels=range(len(TAGS)), target_names=TAGS, output_dict=True,
        zero_division=0,
    )  # fmt: skip
    share = accuracy_score(labels[counted], predicted[counted])
    expected.pop("accuracy", None)
    return expected | {
        "micro avg": {"precision": share, "recall": share, "f1-score": share, "support": int(counted.sum())}
    }


def test_equals_scikit_learn_over_batches():
    random = np.random.default_rng(0)
    metrics = {name: ut.metrics.TokenReport(TAGS, average=name) for name in ("micro", "macro", "weighted")}
    labels = random.integers(-1, 4, (300, 9))
    predicted = np.where(random.random(labels.shape) < 0.5, np.maximum(labels, 0), random.integers(0, 4, labels.shape))
    for part in np.array_split(np.arange(300), 7):
        for metric in metrics.values():
            tf.function(metric.update_state)(tf.constant(labels[part]), tf.one_hot(predicted[part], 4))
    expected = sklearns_report(labels, predicted)
    report = metrics["macro"].report().as_dict()
    assert set(report) == set(expected)
    for name, row in expected.items():
        ours = [report[name][key] for key in ("precision", "recall", "f1", "support")]
        np.testing.assert_allclose(
            ours, [row[key] for key in ("precision", "recall", "f1-score", "support")], rtol=1e-9
        )
    for average, metric in metrics.items():
        row = expected[f"{average} avg"]
        ours = [float(metric.result()[f"token_{key}"]) for key in ("precision", "recall", "f1")]
        np.testing.assert_allclose(ours, [row[key] for key in ("precision", "recall", "f1-score")], rtol=1e-6)


def test_labels_of_any_rank():
    labels = np.array([0, 1, 2, 3, 3, -1])
    for shape in [(6,), (2, 3), (1, 2, 3)]:
        metric = ut.metrics.TokenReport(TAGS)
        metric.update_state(labels.reshape(shape), np.eye(4)[labels].reshape(*shape, 4))
        assert metric.report().as_dict()["micro avg"] == {"precision": 1, "recall": 1, "f1": 1, "support": 5}


def test_masks_count():
    embedded = keras.layers.Embedding(9, 4, mask_zero=True)(np.array([[1, 2, 0]]))
    metric = ut.metrics.TokenReport(TAGS, ignore_class=None)
    metric.update_state(np.array([[0, 1, 1]]), embedded)
    assert metric.report().as_dict()["micro avg"]["support"] == 2


def test_table_reads_as_scikit_learns():
    metric = ut.metrics.TokenReport(TAGS)
    metric.update_state(np.array([0, 0, 0, 3]), np.array([0, 0, 3, 3]))
    lines = str(metric.report()).splitlines()
    assert lines[0].split() == ["precision", "recall", "f1", "support"]
    assert lines[1].split() == ["O", "1.0000", "0.6667", "0.8000", "3"]
    assert lines[2].split() == ["B-PER", "0.5000", "1.0000", "0.6667", "1"]
    assert lines[-3].split() == ["micro", "0.7500", "0.7500", "0.7500", "4"]
    assert lines[-2].split() == ["macro", "0.7500", "0.8333", "0.7333", "4"]
    assert len({len(line) for line in lines if line}) == 1


def test_conll_2003_has_46435_tokens(shared_data):
    lines = (shared_data("conll2003-en") / "test.iob2.txt").read_text(encoding="utf-8").splitlines()
    words = [line.split()[-1] for line in lines if line.strip()]
    tags = sorted(set(words))
    labels = np.array([tags.index(tag) for tag in words])
    metric = ut.metrics.TokenReport(tags)
    metric.update_state(labels, labels)
    report = metric.report().as_dict()
    assert report["weighted avg"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 46435}
    assert {tag: report[tag]["support"] for tag in tags} == {tag: words.count(tag) for tag in tags}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"tags": ("O",)}, "tags"), ({"average": "none"}, "average"), ({"ignore_class": 0.5}, "0.5")],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ut.metrics.TokenReport(**{"tags": TAGS} | arguments)
