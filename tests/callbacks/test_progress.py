import io
import json
import re
import sys
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

import unitools as ut
from unitools.callbacks.progress_phase import ProgressPhase
from unitools.callbacks.progress_text import phase_text

TAGS = ["O", "B-LOC", "I-LOC"]
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def screen(text):
    """Return the lines that a terminal shows after `text`: a carriage return goes back, what follows writes over."""
    lines = []
    for line in ESCAPES.sub("", text).split("\n"):
        cells = []
        for part in line.split("\r"):
            cells[: len(part)] = part
        lines.append("".join(cells).rstrip())
    return lines


def tagger(metrics=None):
    inputs = keras.Input((4, 5))
    model = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    metrics = [ut.metrics.EntityScores(TAGS)] if metrics is None else metrics
    model.compile("sgd", ut.losses.TokenCrossEntropy(), metrics=metrics)
    return model


def examples(number=40):
    random = np.random.default_rng(0)
    return random.normal(size=(number, 4, 5)).astype("float32"), random.integers(0, 3, (number, 4))


def fit(progress, number=40, epochs=2, **options):
    features, labels = examples(number)
    options = {"validation_data": (features[:16], labels[:16]), "batch_size": 8, "verbose": 0} | options
    return tagger().fit(features, labels, epochs=epochs, callbacks=[progress], **options).history


def on_terminal(progress, **options):
    progress.console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system="truecolor")
    for name, value in options.items():
        setattr(progress.console, name, value)
    return progress


def test_a_line_an_epoch_holds_what_the_history_holds(capsys):
    history = fit(ut.callbacks.Progress())
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    names = ["loss", "entity_f1", "entity_precision", "entity_recall"]
    for epoch, line in enumerate(lines):
        values = "  ".join(f"{name} {history[name][epoch]:.4f}" for name in names + [f"val_{name}" for name in names])
        assert re.fullmatch(rf"epoch {epoch + 1}/2  {re.escape(values)}  \d+\.\d s  [\d,.]+ examples/s", line)


def test_chosen_scores_come_with_the_losses(capsys):
    fit(ut.callbacks.Progress(["entity_f1"], title="fine-tuning"), epochs=1)
    words = capsys.readouterr().out.split()
    assert words[:2] == ["fine-tuning", "1/1"]
    assert [word for word in words if re.match("[a-z]+_|loss", word)] == [
        "loss",
        "entity_f1",
        "val_loss",
        "val_entity_f1",
    ]


def test_plain_lines_tell_steps_and_totals(capsys):
    fit(ut.callbacks.Progress(["entity_f1"], refresh_s=0))
    starts = ["  ".join(line.split("  ")[:2]) for line in capsys.readouterr().out.splitlines()]
    training = [[f"epoch {epoch}/2  {step}/5" for step in range(1, 6)] for epoch in (1, 2)]
    # The number of validation steps is not told by Keras, and known from the second time on.
    validation = [
        ["epoch 1/2 validation  1", "epoch 1/2 validation  2"],
        [f"epoch 2/2 validation  {s}/2" for s in (1, 2)],
    ]
    assert [start for start in starts if "loss" not in start] == sum(
        (training[place] + validation[place] for place in (0, 1)), []
    )


# Keras' note where it learns the length.
@pytest.mark.filterwarnings("ignore:Your input ran out of data:UserWarning")
def test_a_data_set_of_unknown_length_has_a_total_from_the_second_epoch(capsys):
    data = tf.data.Dataset.from_tensor_slices(examples()).filter(lambda x, y: True).batch(8)
    tagger().fit(data, shuffle=False, epochs=2, verbose=0, callbacks=[ut.callbacks.Progress(refresh_s=0)])
    starts = ["  ".join(line.split("  ")[:2]) for line in capsys.readouterr().out.splitlines()]
    assert [start for start in starts if "loss" not in start] == [
        *(f"epoch 1/2  {step}" for step in range(1, 6)),
        *(f"epoch 2/2  {step}/5" for step in range(1, 6)),
    ]


def test_pace_and_time_left_by_a_clock_in_the_hand(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("unitools.callbacks.progress_phase.time.perf_counter", lambda: now[0])
    model = tagger()
    phase = ProgressPhase("epoch 1/1", 7202, model)

    def step(number, seconds):
        now[0] += seconds
        model.metrics[0].update_state(0.5, sample_weight=8)  # as `fit` does for a batch of 8
        phase.advance(number, {"loss": 0.00012})

    step(1, 30.0)  # tracing, which is no pace
    assert (phase.seconds_left, phase.examples_per_second, phase.seconds) == (None, None, 30.0)
    step(2, 0.5)
    step(3, 1.5)
    # 2 steps, 16 examples in 2 seconds.
    assert (phase.seconds_left, phase.examples_per_second, phase.seconds) == (7199.0, 8.0, 32.0)
    assert phase_text(phase, None) == "epoch 1/1  3/7202  1:59:59 left  8 examples/s  loss 1.20e-04"


def test_a_bar_is_written_over_and_gone_in_the_end():
    progress = on_terminal(ut.callbacks.Progress(["entity_f1"], refresh_s=0))
    fit(progress, epochs=2)
    text = progress.console.file.getvalue()
    states = [ESCAPES.sub("", part).rstrip() for part in re.split(r"[\r\n]", text)]
    bars = [state for state in states if "━" in state or "validation" in state]
    assert [re.search(r"validation|\d/5", bar)[0] for bar in bars] == 2 * (
        ["1/5", "2/5", "3/5", "4/5", "5/5"] + 2 * ["validation"]
    )
    assert [line.partition("  ")[0] for line in screen(text)] == ["epoch 1/2", "epoch 2/2", ""]


def test_the_bar_grows_with_the_steps():
    progress = on_terminal(ut.callbacks.Progress(["entity_f1"], style="bar", refresh_s=0), no_color=True)
    fit(progress, epochs=1, number=32, validation_data=None)
    lengths = [part.count("━") for part in progress.console.file.getvalue().split("\r") if "/4" in part]
    assert lengths == [6, 12, 18, 24]


@pytest.mark.parametrize("width", [30, 60])
def test_no_state_is_wider_than_the_terminal(width):
    progress = on_terminal(ut.callbacks.Progress(refresh_s=0), width=width)
    fit(progress, epochs=1)
    states = re.split(r"[\r\n]", ESCAPES.sub("", progress.console.file.getvalue()))
    assert max(len(state) for state in states if " val_" not in state) == width - 1


def test_a_notebook_has_a_bar_in_its_stream():
    progress = ut.callbacks.Progress(refresh_s=0)
    progress.console = Console(file=io.StringIO(), force_jupyter=True)
    fit(progress)
    text = progress.console.file.getvalue()
    assert "\r" in text and "━" in text
    assert [line.partition("  ")[0] for line in screen(text)] == ["epoch 1/2", "epoch 2/2", ""]


def test_a_notebook_gets_no_output_but_its_stream(monkeypatch):
    """rich displays what it prints in a notebook, an empty display too, which parts the stream that is written over."""
    shown = []
    monkeypatch.setattr("rich.jupyter.display", lambda segments, text: shown.append(text))
    progress = ut.callbacks.Progress(refresh_s=0)
    progress.console = Console(file=io.StringIO(), force_jupyter=True)
    fit(progress, epochs=1)
    assert shown == [] and "━" in progress.console.file.getvalue()


def test_tables_are_printed_where_the_bar_was(capsys):
    progress = ut.callbacks.Progress(["entity_f1"], style="bar", refresh_s=0)
    features, labels = examples()
    callbacks = [ut.callbacks.ScoreReport(), progress]  # the table comes while the bar still stands
    tagger().fit(features, labels, batch_size=8, verbose=0, callbacks=callbacks)
    lines = [line for line in screen(capsys.readouterr().out) if line]
    assert lines[0] == "entity, training data, epoch 1"
    assert [line.split()[0] for line in lines[1:]] == ["precision", "LOC", "micro", "macro", "weighted", "epoch"]


def test_evaluate_has_its_line(capsys):
    features, labels = examples()
    progress = ut.callbacks.Progress(["entity_f1"], refresh_s=0)
    scores = tagger().evaluate(features, labels, batch_size=8, verbose=0, return_dict=True, callbacks=[progress])
    *steps, line = capsys.readouterr().out.splitlines()
    assert [step.split("  ")[:2] for step in steps] == [["evaluation", f"{number}/5"] for number in range(1, 6)]
    assert line.startswith(f"evaluation  loss {scores['loss']:.4f}  entity_f1 {scores['entity_f1']:.4f}  ")


def test_it_takes_the_place_of_keras_bar(capsys):
    fit(ut.callbacks.Progress(), verbose=1)
    text = capsys.readouterr().out
    assert len(text.splitlines()) == 2 and "Epoch" not in text and "step" not in text


def test_predict_shows_nothing(capsys):
    tagger().predict(examples()[0], verbose=0, callbacks=[ut.callbacks.Progress(style="bar", refresh_s=0)])
    assert capsys.readouterr().out == ""


def test_an_error_in_fit_leaves_nothing_running():
    def stop(batch, logs):
        if batch == 2:
            raise RuntimeError("no more")

    progress = on_terminal(ut.callbacks.Progress(refresh_s=0))
    before, output = set(threading.enumerate()), sys.stdout
    model, (features, labels) = tagger(), examples()
    failing = keras.callbacks.LambdaCallback(on_train_batch_end=stop)
    with pytest.raises(RuntimeError, match="no more"):
        model.fit(features, labels, batch_size=8, verbose=0, callbacks=[progress, failing])
    assert set(threading.enumerate()) <= before and sys.stdout is output
    assert "\x1b[?25l" not in progress.console.file.getvalue()  # the code that hides the cursor
    model.evaluate(features, labels, verbose=0, callbacks=[progress])
    assert screen(progress.console.file.getvalue())[-2].startswith("evaluation  loss")


def test_an_unknown_score_is_told_after_the_first_step():
    with pytest.raises(ValueError, match=r"'entity_f1', .*'loss'. Received scores=\('entity_f2',\). Mend 'entity_f2'"):
        fit(ut.callbacks.Progress(["entity_f2"]))


def test_scores_of_the_validation_data_alone_and_of_other_callbacks(capsys):
    features, labels = examples()
    progress = ut.callbacks.Progress(["val_entity_f1", "learning_rate"])
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 2e-5)
    tagger().fit(
        features, labels, validation_data=(features, labels), verbose=0, callbacks=[schedule, progress], epochs=1
    )
    line = capsys.readouterr().out
    assert "learning_rate 2.00e-05" in line and " val_entity_f1 " in line and " entity_f1 " not in line


def resumed(progress, model, state, begin, end, total, seconds):
    """Call the hooks as `fit` does for an epoch that goes on at step `begin`; a step of 8 examples takes `seconds`."""
    callbacks = keras.callbacks.CallbackList([progress], model=model, epochs=4, steps=total)
    callbacks.on_train_begin()
    progress.set_state(json.loads(json.dumps(state)))
    callbacks.on_epoch_begin(2)
    for number in range(begin, end):
        callbacks.on_train_batch_begin(number)
        seconds(number)
        model.metrics[0].update_state(0.5, sample_weight=8)
        callbacks.on_train_batch_end(number, {"loss": 0.5})
    return callbacks


def clock(monkeypatch):
    now = [100.0]
    for place in ("progress_phase", "progress"):
        monkeypatch.setattr(f"unitools.callbacks.{place}.time.perf_counter", lambda: now[0])
    return now


def test_an_epoch_that_goes_on_in_its_middle_is_counted_and_paced_right(capsys, monkeypatch):
    now, model = clock(monkeypatch), tagger()
    model.metrics[0].update_state(0.5, sample_weight=7 * 8)  # what the steps before have counted, as restored

    def step(number):
        now[0] += 30.0 if number == 7 else 0.5  # the first step after a resume traces

    progress = ut.callbacks.Progress(refresh_s=0)
    callbacks = resumed(progress, model, {"epoch": 2, "seconds": 60.0}, 7, 11, 12, step)
    step(11)
    model.metrics[0].update_state(0.5, sample_weight=8)
    callbacks.on_train_batch_end(11, {"loss": 0.5})
    callbacks.on_epoch_end(2, {"loss": 0.5})
    callbacks.on_epoch_begin(3)
    now[0] += 5.0
    callbacks.on_train_batch_end(0, {"loss": 0.25})
    callbacks.on_epoch_end(3, {"loss": 0.25})
    assert capsys.readouterr().out.splitlines() == [
        "epoch 3/4  8/12  loss 0.5000",
        "epoch 3/4  9/12  0:02 left  16 examples/s  loss 0.5000",
        "epoch 3/4  10/12  0:01 left  16 examples/s  loss 0.5000",
        "epoch 3/4  11/12  0:00 left  16 examples/s  loss 0.5000",
        "epoch 3/4  12/12  0:00 left  16 examples/s  loss 0.5000",
        "epoch 3/4  loss 0.5000  92.0 s  16 examples/s",  # 60 before, 32 since
        "epoch 4/4  1/12  loss 0.2500",
        "epoch 4/4  loss 0.2500  5.0 s",
    ]


def test_a_length_that_is_not_told_is_known_from_the_state(capsys, monkeypatch):
    now, model = clock(monkeypatch), tagger()

    def step(number):
        now[0] += 1.0

    first = ut.callbacks.Progress()
    callbacks = resumed(first, model, {}, 0, 5, None, step)
    callbacks.on_epoch_end(2, {"loss": 0.5})
    state = first.get_state()
    assert state == {"epoch": 2, "seconds": 5.0, "steps": 5, "validation_steps": None}
    capsys.readouterr()
    resumed(ut.callbacks.Progress(refresh_s=0), model, state, 3, 4, None, step)
    assert capsys.readouterr().out == "epoch 3/4  4/5  loss 0.5000\n"


def test_an_epoch_of_which_only_the_end_is_left(capsys, monkeypatch):
    """All steps were done when the run was cut, its validation was not."""
    now, model = clock(monkeypatch), tagger()
    progress = ut.callbacks.Progress(refresh_s=0)
    callbacks = resumed(progress, model, {"epoch": 2, "seconds": 60.0, "validation_steps": 3}, 12, 12, 12, None)
    callbacks.on_test_begin()
    now[0] += 1.0
    callbacks.on_test_batch_end(0, {"loss": 0.25})
    callbacks.on_test_end({"loss": 0.25})
    callbacks.on_epoch_end(2, {"loss": 0.5, "val_loss": 0.25})
    assert capsys.readouterr().out.splitlines() == [
        "epoch 3/4 validation  1/3  loss 0.2500",
        "epoch 3/4  loss 0.5000  val_loss 0.2500  61.0 s",
    ]


def test_a_model_that_counts_no_examples_has_no_pace(capsys):
    class Counts(keras.Model):
        def train_step(self, data):
            return {"steps_seen": tf.constant(1.0)}

    model = Counts()
    model.compile()
    model.fit(*examples(), batch_size=8, verbose=0, callbacks=[ut.callbacks.Progress()])
    assert re.fullmatch(r"epoch 1/1  steps_seen 1\.0000  \d+\.\d s\n", capsys.readouterr().out)
