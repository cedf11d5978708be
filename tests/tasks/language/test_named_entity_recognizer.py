import keras
import numpy as np
import pytest
import seqeval.metrics
import tensorflow as tf

import unitools as ut
from unitools.tasks import NamedEntityRecognizer, read_entities

FILES = {
    "train": [
        "Ada/B-PER Lovelace/I-PER wrote/O ,/O in/O Paris/B-LOC ./O",
        "Paris/B-LOC wrote/O",
        "New/B-LOC York/I-LOC",
    ],
    "test": ["Lovelace/B-PER in/O New/B-LOC York/I-LOC", "wrote/O Ada/B-PER", "Mars/B-LOC"],
}


def columns(sentence):
    """Return the lines of a sentence of word/tag."""
    return sentence.replace(" ", "\n").replace("/", " ")


@pytest.fixture(scope="module")
def readers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("columns")
    for name, sentences in FILES.items():
        (folder / name).write_text("\n\n".join(map(columns, sentences)) + "\n")
    train = ut.data.ColumnText(folder / "train")
    return train, ut.data.ColumnText(folder / "test", tags=train.tags)


def made(readers, **options):
    keras.utils.set_random_seed(3)
    tokenizer = ut.data.WordTokenizer.from_reader(readers[0])
    base = ut.backbones.lstm(tokenizer.vocabulary_size, characters=tokenizer.num_characters, units=16, dropout=0.0)
    return NamedEntityRecognizer(base, readers[0].tags, tokenizer=tokenizer, **({"dropout": 0.0} | options))


@pytest.fixture(scope="module", params=[False, True], ids=["tagger", "crf"])
def trained(request, readers):
    recognizer = made(readers, crf=request.param)
    recognizer.history = recognizer.fit(
        readers[0], readers[1], epochs=30, batch_size=2, learning_rate=0.02, seed=1, verbose=False
    ).history
    return recognizer


def test_it_learns_its_sentences_by_heart(trained, readers):
    assert trained.history["loss"][-1] < 0.1 * trained.history["loss"][0]
    assert trained.predict_tags([words for words, _ in readers[0].sentences]) == [
        list(tags) for _, tags in readers[0].sentences
    ]
    (found,) = trained.predict(["Ada Lovelace wrote, in Paris."])
    assert [(entity.text, entity.type, entity.start, entity.end) for entity in found] == [
        ("Ada Lovelace", "PER", 0, 12),
        ("Paris", "LOC", 23, 28),
    ]
    assert all(1 / 5 < entity.confidence <= 1 for entity in found)


def test_scores_are_seqevals_and_count_every_word(trained, readers):
    gold = [list(tags) for _, tags in readers[1].sentences]
    found = trained.predict_tags([words for words, _ in readers[1].sentences])
    table = trained.evaluate(readers[1]).as_dict()
    assert table["micro avg"]["f1"] == pytest.approx(seqeval.metrics.f1_score(gold, found))
    assert table["micro avg"]["recall"] == pytest.approx(seqeval.metrics.recall_score(gold, found))
    assert trained.evaluate(readers[1], level="tokens").as_dict()["micro avg"]["support"] == readers[1].num_words == 7


def test_scores_while_training_are_those_of_evaluate(trained, readers):
    logged = trained.model.evaluate(trained.batches(readers[1], 2, seed=0), verbose=0, return_dict=True)
    assert logged["entity_f1"] == pytest.approx(trained.evaluate(readers[1]).as_dict()["micro avg"]["f1"])


def test_the_best_epochs_weights_are_kept(trained, readers):
    assert trained.evaluate(readers[1]).as_dict()["micro avg"]["f1"] == pytest.approx(
        max(trained.history["val_entity_f1"])
    )


def test_it_is_saved_and_trained_on(trained, readers, tmp_path):
    texts = ["Ada wrote.", "", "New York"]
    trained.save(tmp_path / "names.keras")
    again = NamedEntityRecognizer.load(tmp_path / "names.keras")
    assert again.predict(texts) == trained.predict(texts)
    assert again.tags == trained.tags
    before = again.model.get_weights()
    again.fit(readers[0], epochs=1, batch_size=2, learning_rate=0.01, seed=1, verbose=False)
    assert any((old != new).any() for old, new in zip(before, again.model.get_weights(), strict=True))


def test_the_export_gives_the_same_spans(trained, readers, tmp_path):
    texts = ["Ada wrote in Paris.", "", "in New York", "Mars"]
    report = trained.export(tmp_path / "1", texts, fresh_process=False)
    assert report.num_examples == len(texts) and not report.made_examples
    serve = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"]
    served, predicted = read_entities(serve(texts=tf.constant(texts))), trained.predict(texts)
    for one, other in zip(sum(served, []), sum(predicted, []), strict=True):
        assert (one.text, one.type, one.start, one.end) == (other.text, other.type, other.start, other.end)
        assert one.confidence == pytest.approx(other.confidence, abs=1e-5)


def test_a_crf_never_breaks_the_scheme(readers):
    recognizer = made(readers, crf=True)  # untrained, so that its tags are anything
    words = [list(np.random.default_rng(seed).choice(["Ada", "Paris", "in", "x"], 30)) for seed in range(5)]
    for tags in recognizer.predict_tags(words):
        assert ut.data.convert_tags(tags, to="iob2") == tags


def test_readers_that_do_not_fit(readers, tmp_path):
    recognizer = made(readers)
    (tmp_path / "other").write_text("Ada B-ANIMAL\n")
    with pytest.raises(ValueError, match=r"ColumnText\(path, tags=train.tags\)"):
        recognizer.evaluate(ut.data.ColumnText(tmp_path / "other"))
    with pytest.raises(ValueError, match="`reader` must be a ColumnText"):
        recognizer.fit([("Ada", "B-PER")])
    with pytest.raises(ValueError, match="Put a single text in a list"):
        recognizer.predict("Ada")
    with pytest.raises(ValueError, match="`texts` must be a list of strings"):
        recognizer.predict([3])
    with pytest.raises(ValueError, match="`tokenizer` must be a tokenizer, as the backbone"):
        NamedEntityRecognizer(ut.backbones.lstm(5, units=2), readers[0].tags)
    with pytest.raises(ValueError, match="ends in .keras"):
        recognizer.save(tmp_path / "names.h5")


def test_a_file_of_something_else(tmp_path):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "dense.keras")
    with pytest.raises(ValueError, match="a file that NamedEntityRecognizer.save wrote"):
        NamedEntityRecognizer.load(tmp_path / "dense.keras")
