import keras
import numpy as np
import pytest
import sklearn.metrics
import tensorflow as tf

import unitools as ut
from unitools.tasks import TextClassifier

ROWS = ["well done,good", "so good,good", "very well,good", "so bad,bad", "badly done,bad", "very bad,bad"]


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "train.csv"
    path.write_text("\n".join(["text,label", *ROWS]) + "\n")
    return ut.data.TextTable(path)


def made(reader, **options):
    keras.utils.set_random_seed(1)
    tokenizer = ut.data.WordTokenizer.from_reader(reader, max_length=8)
    base = ut.backbones.lstm(tokenizer.vocabulary_size, units=8, dropout=0.0)
    return TextClassifier(base, reader.class_names, tokenizer=tokenizer, **({"dropout": 0.0} | options))


@pytest.fixture(scope="module", params=["avg", "pooled", "attention"])
def trained(request, reader):
    classifier = made(reader, pooling=request.param)
    classifier.fit(reader, epochs=30, batch_size=3, learning_rate=0.02, seed=1, verbose=False)
    return classifier


def test_it_learns_its_texts_by_heart(trained, reader):
    answers = trained.predict(reader.texts)
    assert [answer.label for answer in answers] == [reader.class_names[label] for label in reader.labels]
    assert all(answer.confidence == max(answer.probabilities) for answer in answers)


def test_scores_are_scikit_learns(reader):
    classifier = made(reader)  # untrained, so that some are wrong
    predicted = [classifier.labels.index(answer.label) for answer in classifier.predict(reader.texts)]
    table = classifier.evaluate(reader).as_dict()
    assert table["micro avg"]["f1"] == pytest.approx(sklearn.metrics.accuracy_score(reader.labels, predicted))
    expected = sklearn.metrics.f1_score(reader.labels, predicted, average="macro")
    assert table["macro avg"]["f1"] == pytest.approx(expected, abs=1e-6)


def test_a_text_gets_the_same_answer_in_any_company(trained):
    texts = ["so bad", "well " * 7, "done", "", "very very good"]
    together = np.array([answer.probabilities for answer in trained.predict(texts)])
    alone = np.array([trained.predict([text])[0].probabilities for text in texts])
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-6)


def test_what_is_cut_is_counted(trained):
    short, long = trained.predict(["bad", "bad " * 11])
    assert (short.num_truncated, long.num_truncated) == (0, 3)


def test_saved_and_exported_it_says_the_same(trained, reader, tmp_path):
    trained.save(tmp_path / "classes.keras")
    again = TextClassifier.load(tmp_path / "classes.keras")
    assert again.predict(reader.texts) == trained.predict(reader.texts)
    trained.export(tmp_path / "1", reader.texts, fresh_process=False)
    serve = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"]
    served = serve(texts=tf.constant(reader.texts))
    expected = [answer.label for answer in trained.predict(reader.texts)]
    assert [label.decode() for label in served["label"].numpy()] == expected


def test_pairs_go_through_both_inputs(tmp_path):
    (tmp_path / "pairs.csv").write_text("a,b,label\nis it,yes,same\nis it,no,other\nno,no,same\nyes,it,other\n")
    reader = ut.data.TextTable(tmp_path / "pairs.csv", text=("a", "b"))
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "is", "it", "yes", "no"]
    tokenizer = ut.data.WordPieceTokenizer(vocabulary, max_length=10)
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert" / "config.json").write_text(
        '{"model_type": "bert", "vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, '
        '"intermediate_size": 8, "max_position_embeddings": 16}'
    )
    base = ut.backbones.bert(tmp_path / "bert", weights=None, segments=True)
    classifier = TextClassifier(base, reader.class_names, tokenizer=tokenizer)
    assert classifier.takes_pairs
    classifier.fit(reader, epochs=1, batch_size=2, seed=1, verbose=False)
    packed = tokenizer((["is it"], ["no"]))
    direct = classifier.model({name: packed[name] for name in classifier.model.input})
    np.testing.assert_allclose(classifier.predict([("is it", "no")])[0].probabilities, direct[0], rtol=1e-5)
    classifier.export(tmp_path / "1", [("is it", "no"), ("yes", "yes yes")], fresh_process=False)
    with pytest.raises(ValueError, match="a list of pairs"):
        classifier.predict(["is it"])


def test_readers_that_do_not_fit(reader, tmp_path):
    (tmp_path / "other.csv").write_text("text,label\nx,cat\ny,dog\n")
    classifier = made(reader)
    with pytest.raises(ValueError, match="class_names=train.class_names"):
        classifier.evaluate(ut.data.TextTable(tmp_path / "other.csv"))
    with pytest.raises(ValueError, match="a TextTable with labels"):
        classifier.fit(ut.data.TextTable(tmp_path / "other.csv", label=None))
    with pytest.raises(ValueError, match="`labels`"):
        TextClassifier(ut.backbones.lstm(5, units=2), ["one", "one"], tokenizer=classifier.tokenizer)
