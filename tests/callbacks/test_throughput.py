import json
import resource
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from unitools.callbacks.step_times import figures, figures_text

NAMES = ["examples_per_s", "steps_per_s", "step_ms_median", "step_ms_p90", "data_wait_share", "rss_peak_mib"]


def model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def data(number=40):
    return np.ones((number, 2), "float32"), np.ones(number, "float32")


@pytest.fixture
def clock(monkeypatch):
    """A clock in the hand, for the callback alone: TensorFlow reads time by other means."""
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    return now


def drive(speed, model, clock, seconds, *, begin=0, epoch=0, state=None, arrays=None, validate=False, end=True):
    """Call the hooks as `fit` does for one epoch whose steps have 8 examples each and take these seconds."""
    callbacks = keras.callbacks.CallbackList([speed], model=model, epochs=4, steps=10)
    callbacks.on_train_begin()
    if state is not None:
        speed.set_state(json.loads(json.dumps(state)))
        speed.set_arrays(arrays)
    loss = next(metric for metric in model.metrics if metric.name == "loss")
    loss.reset_state()
    callbacks.on_epoch_begin(epoch)
    loss.update_state(0.5, sample_weight=8 * begin) if begin else None
    for number, step in enumerate(seconds, begin):
        callbacks.on_train_batch_begin(number)
        clock[0] += step
        loss.update_state(0.5, sample_weight=8)
        callbacks.on_train_batch_end(number, {"loss": 0.5})
    if validate:
        callbacks.on_test_begin()
        loss.reset_state()
        loss.update_state(0.5, sample_weight=1000)
        clock[0] += 50.0
        callbacks.on_test_end({"loss": 0.5})
    if end:
        callbacks.on_epoch_end(epoch, {"loss": 0.5})
        callbacks.on_train_end()


@pytest.mark.parametrize("validate", [False, True])
def test_figures_by_a_clock_in_the_hand(clock, validate):
    speed, steps = ut.callbacks.Throughput(), [0.5, 0.25, 1.0, 0.25]
    drive(speed, model(), clock, [30.0, *steps], validate=validate)  # the first step traces, and is no pace
    (epoch,) = speed.epochs
    assert epoch["steps_per_s"] == pytest.approx(4 / 2.0)
    assert epoch["examples_per_s"] == pytest.approx(32 / 2.0)
    assert epoch["step_ms_median"] == pytest.approx(1e3 * np.median(steps))
    assert epoch["step_ms_p90"] == pytest.approx(1e3 * np.percentile(steps, 90))
    assert epoch["data_wait_share"] is None
    assert speed.totals == {**epoch, "rss_peak_mib": speed.totals["rss_peak_mib"]}


def test_an_epoch_cut_in_its_middle_goes_on_and_the_totals_too(clock):
    first, one = ut.callbacks.Throughput(), model()
    drive(first, one, clock, [30.0, 0.5, 0.25])
    second = ut.callbacks.Throughput()
    drive(second, one, clock, [20.0, 1.0, 0.5], epoch=1, state=first.get_state(), arrays=first.get_arrays(), end=False)
    state, arrays = second.get_state(), second.get_arrays()
    clock[0] += 1000.0  # the process is dead
    third = ut.callbacks.Throughput()
    drive(third, one, clock, [40.0, 0.25], begin=3, epoch=1, state=state, arrays=arrays)
    assert [epoch["steps_per_s"] for epoch in third.epochs] == pytest.approx([2 / 0.75, 3 / 1.75])
    assert [epoch["examples_per_s"] for epoch in third.epochs] == pytest.approx([16 / 0.75, 24 / 1.75])
    assert third.totals["examples_per_s"] == pytest.approx(40 / 2.5)
    assert third.totals["step_ms_median"] == pytest.approx(500.0)


def test_the_history_holds_what_is_known():
    speed = ut.callbacks.Throughput()
    history = (
        model().fit(*data(), batch_size=8, epochs=3, validation_data=data(16), verbose=0, callbacks=[speed]).history
    )
    assert list(history)[2:] == [name for name in NAMES if name != "data_wait_share"]
    for name in list(history)[2:]:
        assert history[name] == [epoch[name] for epoch in speed.epochs]
    # 4 steps of the first epoch, 5 of each other: the shares of time are those of the steps.
    totals = speed.totals
    assert totals["examples_per_s"] == pytest.approx(8 * totals["steps_per_s"])
    times = [1 / epoch["steps_per_s"] * steps for epoch, steps in zip(speed.epochs, (4, 5, 5), strict=True)]
    assert totals["steps_per_s"] == pytest.approx(14 / sum(times))
    assert 0 < totals["rss_peak_mib"] <= resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_the_wait_for_slow_data_is_its_share():
    def rows():
        for _ in range(6):
            time.sleep(0.1)
            yield np.ones((8, 2), "float32"), np.ones((8, 1), "float32")

    signature = (tf.TensorSpec((8, 2)), tf.TensorSpec((8, 1)))
    slow = tf.data.Dataset.from_generator(rows, output_signature=signature).apply(
        tf.data.experimental.assert_cardinality(6)
    )
    shares = []
    for wait, slow_step in ((slow, 0.0), (tf.data.Dataset.from_tensors(next(iter(rows()))).repeat(6), 0.1)):
        speed = ut.callbacks.Throughput(data_wait=True)
        step = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs, s=slow_step: time.sleep(s))
        model().fit(wait, epochs=2, shuffle=False, verbose=0, callbacks=[speed, step])
        shares.append(speed.totals["data_wait_share"])
    assert shares[0] > 0.5 > 0.2 > shares[1] >= 0


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_measuring_the_wait_changes_no_training(run_eagerly):
    weights, functions = [], []
    for callbacks in ([], [ut.callbacks.Throughput(data_wait=True)]):
        keras.utils.set_random_seed(3)
        one = model()
        one.compile("adam", "mse", run_eagerly=run_eagerly)
        one.make_train_function()
        function = one.train_function
        one.fit(*data(36), batch_size=8, epochs=2, shuffle=False, verbose=0, callbacks=callbacks)
        weights.append(one.get_weights())
        functions.append(one.train_function is function)
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert functions == [True, True]


def test_data_of_unknown_length_end_an_epoch_as_ever():
    unknown = tf.data.Dataset.from_tensor_slices(data()).filter(lambda x, y: True).batch(8)
    speed = ut.callbacks.Throughput(data_wait=True)
    with pytest.warns(UserWarning, match="ran out of data"):
        model().fit(unknown, epochs=2, shuffle=False, verbose=0, callbacks=[speed])
    assert len(speed.epochs) == 2 and len(speed.get_arrays()["all_seconds"]) == 4 + 5


def test_several_steps_a_call_are_told():
    one = model()
    one.compile("sgd", "mse", steps_per_execution=2)
    with pytest.raises(ValueError, match="steps_per_execution=2. Use Throughput"):
        one.fit(*data(), verbose=0, callbacks=[ut.callbacks.Throughput(data_wait=True)])


def test_a_line_an_epoch(capsys):
    speed = ut.callbacks.Throughput(log=False, print_line=True)
    history = model().fit(*data(), batch_size=8, epochs=2, verbose=0, callbacks=[speed]).history
    assert list(history) == ["loss"]
    expected = [f"epoch {number}  {figures_text(epoch)}" for number, epoch in enumerate(speed.epochs, 1)]
    assert capsys.readouterr().out.splitlines() == expected


def test_figures_in_words():
    text = figures_text(figures([0.5, 0.25, 1.0, 0.25], 3200, 0.5) | {"rss_peak_mib": 1234.4})
    assert text == (
        "1,600 examples/s  2 steps/s  375 ms a step  850 ms for the slowest tenth  25% waiting for data  "
        "1,234 MiB at the peak"
    )


def test_what_cannot_be_told_is_none():
    known = figures([], 0, None)
    assert [known[name] for name in NAMES[:-1]] == [None] * 5
