import json

import keras
import numpy as np
import pytest
import seqeval.metrics
import sklearn.metrics
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

import unitools as ut
from unitools.callbacks.judged_examples import judge_examples
from unitools.callbacks.layer_groups import layer_group

RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.normal(size=(40, 6)).astype("float32")
LABELS = (INPUTS @ RANDOM.normal(size=(6, 3))).argmax(-1)
NAMES = ["daisy", "roses", "tulips"]


def events(folder):
    return EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()


def values(folder):
    """Return {tag: {step: array}} of all that one folder's files hold."""
    loaded = events(folder)
    return {
        tag: {event.step: tf.make_ndarray(event.tensor_proto) for event in loaded.Tensors(tag)}
        for tag in loaded.Tags()["tensors"]
    }


def scalars(folder, prefix=""):
    return {
        tag: {step: value.item() for step, value in points.items()}
        for tag, points in values(folder).items()
        if tag.startswith(prefix) and all(value.shape == () and value.dtype == "float32" for value in points.values())
    }


def batches(number=40, size=8):
    return tf.data.Dataset.from_tensor_slices((INPUTS[:number], LABELS[:number])).batch(size)


def classifier(optimizer=None, **options):
    keras.utils.set_random_seed(2)
    inputs = keras.Input((6,))
    hidden = keras.layers.Dense(5, activation="tanh", name="stage1_first")(inputs)
    hidden = keras.layers.Dense(4, activation="tanh", name="stage1_second")(hidden)
    model = keras.Model(inputs, keras.layers.Dense(3, name="head")(hidden))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer or keras.optimizers.SGD(0.1), loss, metrics=["accuracy"], **options)
    return model


def fit(model, *callbacks, **options):
    options = {"epochs": 2, "validation_data": batches(16)} | options
    return model.fit(batches(), shuffle=False, verbose=0, callbacks=list(callbacks), **options).history


def test_scores_stand_side_by_side_as_the_history_has_them(tmp_path):
    history = fit(classifier(), ut.callbacks.TensorBoardReport(tmp_path), epochs=3)
    for folder, prefix in (("train", ""), ("validation", "val_")):
        written = scalars(tmp_path / folder, "epoch/")
        assert set(written) == {"epoch/loss", "epoch/accuracy"}
        for tag, points in written.items():
            assert list(points) == [0, 1, 2]
            assert list(points.values()) == pytest.approx(history[prefix + tag.removeprefix("epoch/")], rel=1e-6)


def reference_norms(model, rate, number, clip=None):
    """Take the steps of plain SGD by a tape of our own, and return the norms before each by layer."""
    norms = []
    for x, y in batches().repeat().take(number):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.keras.losses.sparse_categorical_crossentropy(y, model(x), from_logits=True))
        gradients = [np.asarray(one) for one in tape.gradient(loss, model.trainable_variables)]
        norms.append([float(np.sqrt(np.sum(one.astype("float64") ** 2))) for one in gradients])
        total = np.linalg.norm(norms[-1])
        share = 1.0 if clip is None else min(1.0, clip / total)
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
            variable.assign_sub(rate * share * gradient)
    return np.asarray(norms)


@pytest.mark.parametrize("options", [{"jit_compile": False}, {"jit_compile": True}, {"run_eagerly": True}], ids=str)
@pytest.mark.parametrize("kind", ["plain", "clipped", "scaled"])
def test_gradient_norms_are_those_of_a_tape(tmp_path, kind, options):
    clip = 0.2 if kind == "clipped" else None
    optimizer = keras.optimizers.SGD(0.1, global_clipnorm=clip)
    if kind == "scaled":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=64.0)
    expected = reference_norms(classifier(), 0.1, 10, clip)
    fit(classifier(optimizer, **options), ut.callbacks.TensorBoardReport(tmp_path, every=4))
    written = scalars(tmp_path / "train", "step/")
    groups = {"all": slice(0, 6), "stage1": slice(0, 4), "head": slice(4, 6)}
    assert set(written) == {"step/learning_rate", *(f"step/gradient_norm/{group}" for group in groups)}
    for group, places in groups.items():
        points = written[f"step/gradient_norm/{group}"]
        assert list(points) == [1, 4, 8]
        norms = np.linalg.norm(expected[:, places], axis=1)
        np.testing.assert_allclose(list(points.values()), norms[[0, 3, 7]], rtol=1e-4)
    np.testing.assert_allclose(list(written["step/learning_rate"].values()), 0.1, rtol=1e-6)


def test_repeated_rows_of_an_embedding_are_added_up(tmp_path):
    tokens, targets = np.array([[1, 1, 1, 2]]), np.ones((1, 4, 1), "float32")
    embedding = keras.layers.Embedding(5, 1, embeddings_initializer="zeros", name="words")
    model = keras.Sequential([keras.Input((4,), dtype="int32"), embedding])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(tokens, targets, verbose=0, callbacks=[ut.callbacks.TensorBoardReport(tmp_path)])
    # d/dw of mean((w - 1)^2) over 4 positions: -2/4 a position; row 1 has three of them.
    norm = scalars(tmp_path / "train")["step/gradient_norm/words"][1]
    assert norm == pytest.approx(np.hypot(1.5, 0.5))


def test_the_rate_is_the_one_that_the_step_was_taken_with(tmp_path):
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 12)
    report = ut.callbacks.TensorBoardReport(tmp_path, every=3, gradients=False)
    fit(classifier(keras.optimizers.Adam(schedule)), report)
    written = scalars(tmp_path / "train", "step/")
    assert set(written) == {"step/learning_rate"}
    for step in (1, 3, 6, 9):
        assert written["step/learning_rate"].pop(step) == pytest.approx(0.05 * (1 + np.cos(np.pi * (step - 1) / 12)))
    assert written["step/learning_rate"] == {}


def test_several_steps_a_call(tmp_path):
    report = ut.callbacks.TensorBoardReport(tmp_path, every=4)
    fit(classifier(steps_per_execution=3), report, epochs=3, validation_data=None)
    expected = reference_norms(classifier(), 0.1, 15)
    points = scalars(tmp_path / "train")["step/gradient_norm/all"]
    # Calls end at steps 3, 5, 8, 10, 13, 15: each tells the last step that was read.
    assert list(points) == [1, 4, 8, 12]
    np.testing.assert_allclose(list(points.values()), np.linalg.norm(expected, axis=1)[[0, 3, 7, 11]], rtol=1e-4)


def test_training_is_what_it_is_without_it_and_nothing_stays_behind(tmp_path):
    weights = []
    for callbacks in ([], [ut.callbacks.TensorBoardReport(tmp_path, every=1).examine(INPUTS, LABELS)]):
        model = classifier(keras.optimizers.Adam(0.05))
        fit(model, *callbacks)
        weights.append(model.get_weights())
        assert "apply" not in vars(model.optimizer)
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_second_fit_traces_nothing_anew(tmp_path):
    model, report = classifier(), ut.callbacks.TensorBoardReport(tmp_path)
    fit(model, report)
    function = model.train_function
    fit(model, report)
    assert model.train_function is function


def test_a_fit_that_ended_with_an_error_is_left_behind(tmp_path):
    def stop(batch, logs):
        raise RuntimeError("no more")

    model, report = classifier(), ut.callbacks.TensorBoardReport(tmp_path, every=1)
    with pytest.raises(RuntimeError, match="no more"):
        fit(model, report, keras.callbacks.LambdaCallback(on_train_batch_end=stop))
    model.evaluate(batches(), verbose=0, callbacks=[report])
    fit(model, report)
    assert "apply" not in vars(model.optimizer)
    assert list(scalars(tmp_path / "train")["step/learning_rate"]) == list(range(1, 12))


def test_steps_and_epochs_go_on_after_a_resume(tmp_path):
    settings = {"every": 2, "hyperparameters": {"rate": 0.1}}
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    fit(classifier(), ut.callbacks.TensorBoardReport(whole, **settings), epochs=4)
    model, report = classifier(), ut.callbacks.TensorBoardReport(cut, **settings)
    fit(model, report, epochs=2)
    state, kept = json.dumps(report.get_state()), [variable.numpy() for variable in model.optimizer.variables]
    weights, model, report = model.get_weights(), classifier(), ut.callbacks.TensorBoardReport(cut, **settings)

    class Resume(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.model.set_weights(weights)
            for variable, value in zip(self.model.optimizer.variables, kept, strict=True):
                variable.assign(value)
            report.set_state(json.loads(state))

    fit(model, report, Resume(), epochs=4, initial_epoch=2)
    for folder in ("train", "validation"):
        expected, found = scalars(whole / folder), scalars(cut / folder)
        assert list(expected) == list(found)
        for tag, points in expected.items():
            assert list(found[tag]) == list(points)
            assert list(found[tag].values()) == pytest.approx(list(points.values()), rel=1e-6)
    settings = [tag for path in cut.glob("events*") for tag in values(path) if tag == metadata.SESSION_START_INFO_TAG]
    assert len(settings) == 1  # written once a run, though two processes wrote


def hparams(folder):
    """Return what TensorBoard's table of runs reads, by tag."""
    found = events(folder).summary_metadata
    return {tag: metadata for tag, metadata in found.items() if tag.startswith("_hparams_/")}


def test_hyperparameters_are_in_the_table_of_runs(tmp_path):
    settings = {"learning_rate": 0.1, "units": 5, "optimizer": "sgd", "augmented": True}
    fit(classifier(), ut.callbacks.TensorBoardReport(tmp_path / "first", hyperparameters=settings))
    found = hparams(tmp_path / "first")
    content = {tag: found[tag].plugin_data.content for tag in found}
    session = metadata.parse_session_start_info_plugin_data(content[metadata.SESSION_START_INFO_TAG])
    held = {name: getattr(value, value.WhichOneof("kind")) for name, value in session.hparams.items()}
    assert held == settings and session.group_name == "first"
    columns = metadata.parse_experiment_plugin_data(content[metadata.EXPERIMENT_TAG])
    assert [one.name for one in columns.hparam_infos] == list(settings)
    named = {(one.name.group, one.name.tag) for one in columns.metric_infos}
    for folder, tag in named:
        assert tag in scalars(tmp_path / "first" / folder)
    assert ("validation", "epoch/accuracy") in named
    end = metadata.parse_session_end_info_plugin_data(content[metadata.SESSION_END_INFO_TAG])
    assert end.status == 1  # STATUS_SUCCESS


def picture(points, step):
    """Return the width, height and pixels of a picture summary."""
    width, height, data = points[step]
    return int(width), int(height), tf.io.decode_png(data).numpy()


def test_confusion_is_that_of_the_model_after_the_epoch(tmp_path, monkeypatch):
    seen, drawn = [], ut.plots.confusion_matrix

    def spy(labels, predictions, names):
        seen.append((labels, predictions, names))
        return drawn(labels, predictions, names)

    monkeypatch.setattr("unitools.callbacks.example_report.confusion_matrix", spy)
    expected = []
    look = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: expected.append(look.model.predict(INPUTS, verbose=0).argmax(-1))
    )
    report = ut.callbacks.TensorBoardReport(tmp_path, class_names=NAMES).examine(INPUTS, LABELS)
    fit(classifier(), report, look)
    points = values(tmp_path / "validation")["examples/confusion"]
    assert list(points) == [0, 1]
    for step, (labels, predictions, names) in enumerate(seen):
        np.testing.assert_array_equal(labels, LABELS)
        np.testing.assert_array_equal(predictions, expected[step])
        assert names == NAMES
        figure = drawn(LABELS, expected[step], NAMES)
        figure.savefig(tmp_path / "own.png")
        width, height, pixels = picture(points, step)
        own = tf.io.decode_png(tf.io.read_file(str(tmp_path / "own.png"))).numpy()
        assert own.shape == (height, width, 4) and np.mean(own != pixels) < 0.01


def test_worst_texts_come_first(tmp_path):
    texts = [f"sentence | number {place}" for place in range(40)]
    report = ut.callbacks.TensorBoardReport(tmp_path, class_names=NAMES, wrong_examples=4)
    model = classifier()
    fit(model, report.examine(INPUTS, LABELS, shown=texts), epochs=1)
    logits = model.predict(INPUTS, verbose=0)
    losses = keras.losses.sparse_categorical_crossentropy(LABELS, logits, from_logits=True).numpy()
    wrong = [place for place in np.argsort(-losses) if logits[place].argmax() != LABELS[place]][:4]
    assert len(wrong) == 4
    table = values(tmp_path / "validation")["examples/wrong"][0].item().decode().split("\n")[2:]
    assert table == [
        f"| {losses[place]:.4f} | {NAMES[LABELS[place]]} → {NAMES[logits[place].argmax()]} "
        f"| sentence \\| number {place} |"
        for place in wrong
    ]


def test_wrong_pictures_are_drawn(tmp_path):
    pictures = RANDOM.integers(0, 256, (12, 8, 8, 3)).astype("float32")
    labels = np.eye(3, dtype="float32")[np.arange(12) % 3]
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]
    )
    model.compile("sgd", "categorical_crossentropy")
    report = ut.callbacks.TensorBoardReport(tmp_path, wrong_examples=2).examine(pictures, labels)
    model.fit(pictures, labels, verbose=0, callbacks=[report])
    width, height, pixels = picture(values(tmp_path / "validation")["examples/wrong"], 0)
    assert pixels.shape == (height, width, 4) and width > height


def test_taggers_have_tables_and_confusion_of_tags(tmp_path):
    tags = ["O", "B-LOC", "I-LOC"]
    features, labels = RANDOM.normal(size=(24, 5, 4)).astype("float32"), RANDOM.integers(-1, 3, (24, 5))
    inputs = keras.Input((None, 4))
    model = keras.Model(inputs, ut.heads.TokenTagger(3, dropout=0.0)(inputs))
    metrics = [ut.metrics.EntityScores(tags), ut.metrics.TokenReport(tags)]
    model.compile(keras.optimizers.SGD(0.0), ut.losses.TokenCrossEntropy(), metrics=metrics)
    report = ut.callbacks.TensorBoardReport(tmp_path, class_names=tags).examine(features[:8], labels[:8])
    data = {"validation_data": (features[:8], labels[:8]), "epochs": 2, "verbose": 0}
    model.fit(features, labels, callbacks=[report], **data)
    for folder, number in (("train", 24), ("validation", 8)):
        best, own = model.predict(features[:number], verbose=0).argmax(-1), labels[:number]
        counted = own >= 0
        oracle = sklearn.metrics.classification_report(
            own[counted], best[counted], labels=range(3), target_names=tags, output_dict=True, zero_division=0
        )
        written = scalars(tmp_path / folder)
        gold = [[tags[tag] for tag in row[row >= 0]] for row in own]
        found = [[tags[tag] for tag in guess[row >= 0]] for row, guess in zip(own, best, strict=True)]
        entities = seqeval.metrics.classification_report(gold, found, output_dict=True, zero_division=0)
        for step in (0, 1):
            for tag in tags:
                assert written[f"token/{tag}/f1"][step] == pytest.approx(oracle[tag]["f1-score"], abs=1e-6)
            assert written["entity/LOC/recall"][step] == pytest.approx(entities["LOC"]["recall"], abs=1e-6)
    assert "examples/confusion" in values(tmp_path / "validation")


def test_losses_of_sequences_by_a_loop():
    labels = np.array([[0, 2, -1], [1, -1, -1], [2, 2, 2]])
    logits = RANDOM.normal(size=(3, 3, 3))
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = [
        np.mean([-np.log(shares[row, place, tag]) for place, tag in enumerate(tags) if tag >= 0])
        for row, tags in enumerate(labels)
    ]
    for outputs in (logits, shares):
        judged = judge_examples(labels, outputs)
        np.testing.assert_allclose(judged.losses, expected, rtol=1e-6)
        np.testing.assert_array_equal(judged.predictions, logits.argmax(-1))
    tagged = judge_examples(labels, np.array([[0, 1, 1], [1, 0, 0], [2, 2, 0]]))
    np.testing.assert_allclose(tagged.losses, [1 / 2, 0, 1 / 3])
    assert tagged.worst(5).tolist() == [0, 2] and tagged.worst(1).tolist() == [0]


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("tagger/dense_10/kernel", "dense_10"),
        ("conv2_block1_1_conv/kernel", "conv2"),
        ("block2a_expand_conv/kernel", "block2a"),
        ("conv2d/kernel", "conv2d"),
        ("conv2d_5/kernel", "conv2d_5"),
        ("conv1d_transpose/bias", "conv1d_transpose"),
        ("transformer_layer_11/self_attention/query/kernel", "transformer_layer_11"),
        ("classifier/dense_1/kernel", "classifier"),
        ("dense_10/bias", "dense_10"),
    ],
)
def test_groups_are_blocks(path, group):
    assert layer_group(path, "tagger") == group


def test_examined_data_of_another_length_are_told(tmp_path):
    with pytest.raises(ValueError, match="`labels` must be one for each of the 40 examples"):
        ut.callbacks.TensorBoardReport(tmp_path).examine(INPUTS, LABELS[:3])


def test_nothing_is_left_in_memory_when_an_epoch_ends(tmp_path):
    counts = []
    look = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: counts.append(len(scalars(tmp_path / "train")["epoch/loss"]))
    )
    fit(classifier(), ut.callbacks.TensorBoardReport(tmp_path), look, epochs=3)
    assert counts == [1, 2, 3]
