import keras
import numpy as np
import pytest
import seqeval.metrics
import sklearn.metrics
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import unitools as ut

TAGS = ["O", "B-LOC", "I-LOC", "B-PER"]
SCORES = {"precision": "precision", "recall": "recall", "f1": "f1-score", "support": "support"}


def written(folder):
    """Return the scalars as {tag: {step: value}}, and the texts likewise."""
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()
    scalars, texts = {}, {}
    for tag in events.Tags()["tensors"]:
        values = {event.step: tf.make_ndarray(event.tensor_proto).item() for event in events.Tensors(tag)}
        (texts if tag.endswith("/report") else scalars)[tag] = values
    return scalars, {tag: {step: text.decode() for step, text in rows.items()} for tag, rows in texts.items()}


def printed_tables(text):
    """Return {heading: {row: [precision, recall, f1, support]}} of what was printed."""
    tables = {}
    for line in text.splitlines():
        if ", " in line:
            rows = tables.setdefault(line, {})
        elif line and not line.startswith(" "):
            name, *numbers = line.split()
            rows[name] = [float(number) for number in numbers]
    return tables


def expect_scores(printed, scalars, reference):
    """Compare a printed table and the scalars under one tag with a reference report."""
    rows = {name: row for name, row in reference.items() if name != "accuracy"}
    rows.setdefault("micro avg", None)  # scikit-learn gives the accuracy in its place
    assert set(printed) == {name.removesuffix(" avg") for name in rows}
    for name, row in rows.items():
        for place, (ours, theirs) in enumerate(SCORES.items()):
            if row is not None:
                assert printed[name.removesuffix(" avg")][place] == pytest.approx(row[theirs], abs=5.1e-5), name
                assert scalars[f"{name}/{ours}"] == pytest.approx(row[theirs], abs=1e-6), name


def below(scalars, tag, step):
    return {name.removeprefix(tag + "/"): rows[step] for name, rows in scalars.items() if name.startswith(tag + "/")}


def tagger(metrics=None, features=6, learning_rate=0.0):
    """Return a tagger that stands still unless it is given a rate, so that training is scored with known weights."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((None, features))
    model = keras.Model(inputs, ut.heads.TokenTagger(len(TAGS), dropout=0.0)(inputs))
    metrics = [ut.metrics.EntityScores(TAGS), ut.metrics.TokenReport(TAGS)] if metrics is None else metrics
    model.compile(keras.optimizers.SGD(learning_rate), ut.losses.TokenCrossEntropy(), metrics=metrics)
    return model


def examples(seed, number=40):
    random = np.random.default_rng(seed)
    return random.normal(size=(number, 7, 6)).astype("float32"), random.integers(-1, len(TAGS), (number, 7))


def token_reference(model, features, labels):
    """Return scikit-learn's report of what the model predicts."""
    best, counted = model.predict(features, verbose=0).argmax(-1), labels >= 0
    return sklearn.metrics.classification_report(
        labels[counted], best[counted], labels=range(len(TAGS)), target_names=TAGS, output_dict=True, zero_division=0
    )


def entity_reference(tags, labels, best):
    """Return seqeval's report."""
    gold = [[tags[tag] for tag in row[row >= 0]] for row in labels]
    found = [[tags[tag] for tag in guess[row >= 0]] for row, guess in zip(labels, best, strict=True)]
    return seqeval.metrics.classification_report(gold, found, output_dict=True, zero_division=0)


def sentences(path):
    """Return random features that are the same for the same word, padded labels, and the tags."""
    reader = ut.data.ColumnText(path)
    longest = max(len(words) for words, _ in reader.sentences)
    labels = np.full((len(reader.sentences), longest), -1)
    features = np.zeros((*labels.shape, 32), "float32")
    for row, (words, tags) in enumerate(reader.sentences):
        for place, (word, tag) in enumerate(zip(words, tags, strict=True)):
            features[row, place] = np.random.default_rng(list(word.encode())).normal(size=32)
            labels[row, place] = reader.tags.index(tag)
    return features, labels, list(reader.tags)


def test_real_entities_score_as_seqeval_scores_them(shared_data, tmp_path, capsys):
    features, labels, tags = sentences(shared_data("wikigold") / "dev.iob2.txt")
    inputs = keras.Input((None, 32))
    model = keras.Model(inputs, ut.heads.TokenTagger(len(tags))(inputs))
    model.compile(keras.optimizers.Adam(0.03), ut.losses.TokenCrossEntropy(), metrics=[ut.metrics.EntityScores(tags)])
    guesses = []
    look = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: guesses.append(model.predict(features, verbose=0).argmax(-1))
    )
    report = ut.callbacks.ScoreReport(log_dir=tmp_path)
    model.fit(features, labels, epochs=2, validation_data=(features, labels), verbose=0, callbacks=[report, look])
    text = capsys.readouterr().out
    printed, (scalars, texts) = printed_tables(text), written(tmp_path)
    assert list(printed) == [f"entity, validation data, epoch {epoch}" for epoch in (1, 2)]
    for epoch, best in enumerate(guesses):
        reference = entity_reference(tags, labels, best)
        assert {"LOC", "MISC", "ORG", "PER", "micro avg"} <= set(reference)
        table = printed[f"entity, validation data, epoch {epoch + 1}"]
        expect_scores(table, below(scalars, "val/entity", epoch), reference)
    tables = ["\n".join(line[4:] for line in texts["val/entity/report"][step].split("\n")) for step in (0, 1)]
    assert text == "".join(f"{heading}\n{table}\n\n" for heading, table in zip(printed, tables, strict=True))


def test_without_validation_it_is_the_training_data(tmp_path, capsys):
    model, (features, labels) = tagger(), examples(0)
    report = ut.callbacks.ScoreReport(["token"], log_dir=tmp_path)
    model.fit(features, labels, batch_size=16, verbose=0, callbacks=[report])
    printed, (scalars, _) = printed_tables(capsys.readouterr().out), written(tmp_path)
    assert list(printed) == ["token, training data, epoch 1"]
    expect_scores(
        printed["token, training data, epoch 1"],
        below(scalars, "train/token", 0),
        token_reference(model, features, labels),
    )


def test_training_and_validation_data_are_kept_apart(tmp_path, capsys):
    model, training, validation = tagger(), examples(0), examples(1, 24)
    report = ut.callbacks.ScoreReport(["token"], log_dir=tmp_path, with_training=True)
    model.fit(*training, batch_size=16, epochs=2, validation_data=validation, verbose=0, callbacks=[report])
    printed, (scalars, _) = printed_tables(capsys.readouterr().out), written(tmp_path)
    for kind, name, data in (("train", "training", training), ("val", "validation", validation)):
        reference = token_reference(model, *data)
        for step in (0, 1):
            expect_scores(
                printed[f"token, {name} data, epoch {step + 1}"], below(scalars, f"{kind}/token", step), reference
            )


def test_evaluate_reports_what_it_evaluates(tmp_path, capsys):
    model, report = tagger(), ut.callbacks.ScoreReport(log_dir=tmp_path)
    model.fit(*examples(0), epochs=3, verbose=0)
    report.set_state({"epoch": 2})
    features, labels = examples(2)
    model.evaluate(features, labels, batch_size=16, verbose=0, callbacks=[report])
    printed, (scalars, _) = printed_tables(capsys.readouterr().out), written(tmp_path)
    assert list(printed) == ["entity, evaluation", "token, evaluation"]
    reference = token_reference(model, features, labels)
    expect_scores(printed["token, evaluation"], below(scalars, "test/token", 2), reference)
    reference = entity_reference(TAGS, labels, model.predict(features, verbose=0).argmax(-1))
    expect_scores(printed["entity, evaluation"], below(scalars, "test/entity", 2), reference)


def test_every_so_many_epochs_and_after_the_last(capsys):
    report = ut.callbacks.ScoreReport(["entity"], every=2)
    tagger().fit(*examples(0), epochs=5, verbose=0, callbacks=[report])
    headings = [f"entity, training data, epoch {epoch}" for epoch in (2, 4, 5)]
    assert list(printed_tables(capsys.readouterr().out)) == headings
    assert report.get_state() == {"epoch": 4}


def test_nothing_is_printed_where_only_files_are_wanted(tmp_path, capsys):
    tagger().fit(*examples(0), verbose=0, callbacks=[ut.callbacks.ScoreReport(log_dir=tmp_path, print_tables=False)])
    assert capsys.readouterr().out == ""
    assert "train/entity/LOC/f1" in written(tmp_path)[0]


def test_metrics_of_two_outputs_are_both_reported(capsys):
    inputs = keras.Input((None, 6))
    outputs = [ut.heads.TokenTagger(len(TAGS), name=name)(inputs) for name in ("first", "second")]
    model = keras.Model(inputs, outputs)
    metrics = [[ut.metrics.TokenReport(TAGS)], [ut.metrics.TokenReport(TAGS)]]
    model.compile("sgd", [ut.losses.TokenCrossEntropy(), ut.losses.TokenCrossEntropy()], metrics=metrics)
    features, labels = examples(0)
    other = np.where(labels >= 0, 3 - labels, -1)
    model.evaluate(features, [labels, other], verbose=0, callbacks=[ut.callbacks.ScoreReport()])
    printed = printed_tables(capsys.readouterr().out)
    assert list(printed) == ["token, evaluation", "token_2, evaluation"]
    for name, target in (("token", labels), ("token_2", other)):
        support = [np.sum(target == tag) for tag in range(len(TAGS))]
        assert [printed[f"{name}, evaluation"][tag][3] for tag in TAGS] == support


def test_an_unknown_name_is_told_from_those_there_are():
    with pytest.raises(ValueError, match=r"'entity', 'token'. Received metrics=\('entity', 'tokens'\). Mend 'tokens'"):
        tagger().fit(*examples(0), verbose=0, callbacks=[ut.callbacks.ScoreReport(["entity", "tokens"])])


@pytest.mark.parametrize("metrics", [["accuracy"], []])
def test_a_model_without_a_report_is_told(metrics):
    with pytest.raises(ValueError, match=r"compiled with metrics that have a report. Received the metrics 'loss'"):
        tagger(metrics).evaluate(*examples(0), verbose=0, callbacks=[ut.callbacks.ScoreReport()])


def test_a_fit_that_ended_with_an_error_leaves_nothing_behind(capsys):
    def stop(batch, logs):
        raise RuntimeError("no more")

    model, report = tagger(), ut.callbacks.ScoreReport(["entity"])
    with pytest.raises(RuntimeError, match="no more"):
        model.fit(*examples(0), verbose=0, callbacks=[report, keras.callbacks.LambdaCallback(on_train_batch_end=stop)])
    model.evaluate(*examples(0), verbose=0, callbacks=[report])
    assert list(printed_tables(capsys.readouterr().out)) == ["entity, evaluation"]
