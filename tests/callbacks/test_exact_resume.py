"""A run that was cut anywhere ends as the one that was not: weights, optimizer, history, decisions, bit for bit."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.callbacks.resumed_run import STEPS, VALIDATION_STEPS, Cut, CutAfter, assert_same, batches, network, train
from unitools.callbacks.checkpoint.checkpoint_store import CheckpointStore

RUNS_OUT = pytest.mark.filterwarnings("ignore:Your input ran out of data")  # by design, in the plain run too
CUTS = [(step, False) for step in range(1, 3 * STEPS + 1)]
CUTS += [(step, True) for step in (1, VALIDATION_STEPS, VALIDATION_STEPS + 2, 3 * VALIDATION_STEPS)]


@pytest.fixture(scope="module")
def whole():
    return train(None)


def resumed(folder, cut, **settings):
    assert train(folder, cut, **settings) is None
    return train(folder, **settings)


@pytest.mark.parametrize(("batch", "validation"), CUTS)
def test_cut(tmp_path, whole, batch, validation):
    assert_same(resumed(tmp_path, CutAfter(batch, validation)), whole)


def test_cut_again_and_again(tmp_path, whole):
    for batches_done in (5, 1, 9, 2, 4):
        assert train(tmp_path, CutAfter(batches_done)) is None
    assert_same(train(tmp_path), whole)


def test_a_finished_run_is_not_trained_again(tmp_path, whole):
    train(tmp_path)
    assert_same(train(tmp_path, CutAfter(1)), whole)


def test_more_epochs(tmp_path, whole):
    train(tmp_path, epochs=2)
    assert_same(train(tmp_path), whole)


@RUNS_OUT
@pytest.mark.parametrize("cut", [4, 13])
@pytest.mark.parametrize(
    "settings",
    [
        {"compile_with": {"jit_compile": True}},
        {"steps_per_epoch": 5, "epochs": 5},
        {"validation_steps": 3},
        {"validation_data": None},
    ],
    ids=str,
)
def test_ways_to_fit(tmp_path, settings, cut):
    assert_same(resumed(tmp_path, CutAfter(cut), **settings), train(None, **settings))


@pytest.mark.parametrize("cut", [1, 4])
def test_several_steps_a_call(tmp_path, cut):
    """An epoch of 11 steps is three calls, the last of three steps."""
    settings = {"compile_with": {"steps_per_execution": 4}}
    assert_same(resumed(tmp_path, CutAfter(cut), **settings), train(None, **settings))


@pytest.mark.parametrize("cut", [7, 16])
def test_batches_that_repeat(tmp_path, cut):
    """An epoch of 7 steps ends in the middle of a pass. What the data were made of knows their position."""
    kept = []

    def repeated():
        kept.append(batches(5))
        return kept[-1].repeat()

    def run(folder, stop):
        resume = ut.callbacks.ExactResume(str(folder), every=2)
        given = repeated()
        resume.data = kept[-1]
        return train(None, stop, callbacks=[resume], data=lambda: given, steps_per_epoch=7, epochs=4)

    assert run(tmp_path / "cut", CutAfter(cut)) is None
    assert_same(run(tmp_path / "cut", None), run(tmp_path / "whole", None))


@pytest.mark.parametrize("cut", [(4, False), (STEPS, False), (2, True)])
def test_batches_that_were_mapped(tmp_path, cut):
    """Nothing says how many they are: an epoch is over where a pass of what they were made of is."""

    def run(folder, stop):
        resume = ut.callbacks.ExactResume(str(folder), every=1)
        resume.data = batches(5)
        mapped = resume.data.map(lambda x, y: (2 * x, y))
        return train(None, stop, data=lambda: mapped, callbacks=[resume])

    assert run(tmp_path / "cut", CutAfter(*cut)) is None
    assert_same(run(tmp_path / "cut", None), run(tmp_path / "whole", None))


@RUNS_OUT
@pytest.mark.parametrize("cut", [7])
@pytest.mark.parametrize("steps", [None, 4])
def test_data_in_one_order(tmp_path, cut, steps):
    """A dataset that says nothing of its position is passed over up to the step, on the user's word."""
    source = list(batches(5))

    def data():
        return tf.data.Dataset.from_generator(lambda: iter(source), output_signature=batches(5).element_spec).repeat(
            1 if steps is None else -1
        )

    settings = {"data": data, "steps_per_epoch": steps, "resume": {"every": 2, "allow": ("order",)}}
    whole = train(tmp_path / "whole", **settings)
    assert_same(resumed(tmp_path / "cut", CutAfter(cut), **settings), whole)


def test_one_callback_serves_two_fits(tmp_path, whole):
    """In a notebook: `fit` ended with an error, and is called again."""
    resume = ut.callbacks.ExactResume(str(tmp_path), every=2)
    assert train(None, CutAfter(15), callbacks=[resume]) is None
    found = train(None, callbacks=[resume])
    assert_same(found, whole)


class StopAt(keras.callbacks.Callback):
    """Ends training at a step, as one that saw enough."""

    def on_train_batch_end(self, batch, logs=None):
        if self.params["epochs"] == 3 and batch == 4:
            self.model.stop_training = True


def test_cut_while_a_run_ends_in_the_middle_of_an_epoch(tmp_path):
    """The epoch that was stopped is validated and ended, and no step is added."""
    settings = {"resume": {"every": 1}}
    whole = train(None, callbacks=[StopAt()])
    assert train(tmp_path, CutAfter(2, validation=True), callbacks=[StopAt()], **settings) is None
    assert_same(train(tmp_path, callbacks=[StopAt()], **settings), whole)


class TwoOptimizers(keras.Model):
    """A train step of its own with an optimizer of its own for the head, built in the first call."""

    def __init__(self):
        super().__init__()
        self.body, self.head = keras.layers.Dense(4), keras.layers.Dense(1)
        self.second = keras.optimizers.Adam(1e-2)

    def call(self, x):
        return self.head(self.body(x))

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = keras.ops.mean((self(x) - y) ** 2)
        own, head = tape.gradient(loss, [self.body.trainable_weights, self.head.trainable_weights])
        self.optimizer.apply(own, self.body.trainable_weights)
        self.second.apply(head, self.head.trainable_weights)
        self._loss_tracker.update_state(loss)
        return self.get_metrics_result()


def _two_optimizers(folder, cut=None, built=True):
    keras.utils.set_random_seed(1)
    model = TwoOptimizers()
    model.compile(keras.optimizers.SGD(1e-2, momentum=0.9), "mse")
    if built:
        model(np.zeros((1, 6), "float32"))
        model.optimizer.build(model.body.trainable_weights)
        model.second.build(model.head.trainable_weights)
    used = [ut.callbacks.ExactResume(str(folder), every=2)] + [cut] * (cut is not None)
    try:
        history = model.fit(batches(5), epochs=2, verbose=0, shuffle=False, callbacks=used).history
    except Cut:
        return None
    return history, [v.numpy() for v in [*model.variables, *model.optimizer.variables, *model.second.variables]], None


def test_optimizers_of_ones_own(tmp_path):
    assert _two_optimizers(tmp_path / "cut", CutAfter(14)) is None
    assert_same(_two_optimizers(tmp_path / "cut"), _two_optimizers(tmp_path / "whole"))
    with pytest.raises(ValueError, match="Call its `build"):
        _two_optimizers(tmp_path / "other", built=False)


def _train_other(folder, **changes):
    """Train with something else than before."""
    allow = changes.pop("allow", ())
    units = changes.pop("units", 16)
    model, compiled = network(units)
    model.compile(**compiled | changes.pop("compile", {}))
    data = batches(changes.pop("seed", 5), changes.pop("count", 86), changes.pop("batch", 8))
    callbacks = [ut.callbacks.ExactResume(str(folder), every=3, allow=allow), *changes.pop("callbacks", [])]
    return model.fit(data, epochs=2, verbose=0, shuffle=False, callbacks=callbacks).history


@pytest.mark.parametrize(
    ("change", "kind", "difference"),
    [
        ({"units": 17}, "model", r"is .*\(6, 17\)"),
        ({"compile": {"optimizer": "sgd"}}, "optimizer", "'Adam', is 'SGD'"),
        ({"compile": {"optimizer": "adam"}}, "optimizer", "it "),
        ({"count": 80}, "data", "num_examples was 86, is 80"),
        ({"batch": 4}, "batch_size", "was 8, is 4"),
        ({"seed": 6}, "seed", "was 5, is 6"),
    ],
)
def test_another_run_is_told_apart(tmp_path, change, kind, difference):
    """The error names what differs, and `allow` goes on."""
    keras.utils.set_random_seed(3)
    model, compiled = network()
    model.compile(**compiled)
    callbacks = [ut.callbacks.ExactResume(str(tmp_path), every=3), CutAfter(14)]
    with pytest.raises(Cut):
        model.fit(batches(5), epochs=2, verbose=0, shuffle=False, callbacks=callbacks)
    with pytest.raises(ut.callbacks.DifferentRunError, match=difference) as raised:
        _train_other(tmp_path, **change)
    assert f"'{kind}'" in str(raised.value) or kind == "batch_size"
    allowed = [
        name for name in ("model", "optimizer", "data", "batch_size", "seed") if f"'{name}'" in str(raised.value)
    ]
    history = _train_other(tmp_path, allow=allowed, **change)
    assert len(history["loss"]) == 2
    assert all(np.isfinite(history["loss"]))


def test_callbacks_that_are_gone(tmp_path):
    assert train(tmp_path, CutAfter(14), callbacks=[ut.callbacks.ReduceLROnPlateau(monitor="val_loss")]) is None
    with pytest.raises(ut.callbacks.DifferentRunError, match="ReduceLROnPlateau"):
        train(tmp_path)
    assert train(tmp_path, resume={"allow": ("callbacks",)}) is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"every": 0}, "every"),
        ({"keep": 0}, "keep"),
        ({"allow": ("weights",)}, "'batch_size'"),
        ({"allow": "data"}, "a list of"),
        ({"background": 1}, "background"),
        ({"folder": ""}, "folder"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        ut.callbacks.ExactResume(**{"folder": "run"} | arguments)


@pytest.mark.parametrize(
    ("data", "given"),
    [
        (lambda: batches(5).map(lambda x, y: (x, y)), "resume.data"),
        (lambda: tf.data.Dataset.from_tensor_slices((np.ones((8, 6)), np.ones((8, 1)))).shuffle(8).batch(2), "order"),
    ],
)
def test_data_of_unknown_order_are_refused(tmp_path, data, given):
    with pytest.raises(ValueError, match=given):
        train(tmp_path, data=data)
    model, compiled = network()
    model.compile(**compiled)
    with pytest.raises(ValueError, match="shuffle=False"):
        model.fit(np.ones((8, 6)), np.ones((8, 1)), verbose=0, callbacks=[ut.callbacks.ExactResume(str(tmp_path))])


def test_outside_of_fit(tmp_path):
    resume = ut.callbacks.ExactResume(str(tmp_path))
    resume.set_model(network()[0])
    with pytest.raises(RuntimeError, match="inside `fit`"):
        resume.on_train_begin()


def test_what_is_kept(tmp_path):
    """The last K, at the steps asked for."""
    train(tmp_path, resume={"every": 4, "keep": 3, "background": False}, epochs=1)
    names = sorted(path.name for path in tmp_path.iterdir() if path.name != ".lock")
    assert names == ["epoch-00000-step-00000008", "epoch-00000-step-00000011", "epoch-00001-step-00000000"]
    newest, skipped = CheckpointStore(str(tmp_path), 3).newest()
    assert (newest.epoch, newest.step, skipped) == (1, 0, [])
