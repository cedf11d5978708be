"""A loop goes on with `ExactResume`, bit for bit, whatever its data say of their length and position.

Cuts at every place of a run are in tests/callbacks/test_exact_resume_in_loop.py.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.training.loop_models import classifier, examples


class Cut(Exception):
    """What stands for a kill: the run does no more."""


def data(count=22):
    x, y = map(tf.constant, examples(count))

    def load(index, seed):
        return x[index] + 0.1 * tf.random.stateless_normal([6], seed), y[index]

    return ut.data.Batches(ut.data.Source(count, load), 4, seed=1)


def cut_after(hook, calls):
    left = iter(range(calls - 1))

    def count(place, logs):
        if next(left, None) is None:
            raise Cut

    return keras.callbacks.LambdaCallback(**{hook: count})


def train(folder, change, cut=None, **fit):
    """Return the values of all variables, and the history; None if the run was cut."""
    model, batches = classifier(optimizer=keras.optimizers.AdamW(0.01, use_ema=True)), data()
    given = change(batches)
    resume = ut.callbacks.ExactResume(str(folder), every=1, allow=("order",))
    resume.data = None if change is in_one_order else batches
    callbacks = [resume] if cut is None else [cut, resume]
    try:
        history = ut.training.Loop(model, accumulate_steps=4).fit(
            given, callbacks=callbacks, epochs=3, verbose=0, **fit
        )
    except Cut:
        return None
    return [variable.numpy() for variable in model.variables + model.optimizer.variables], history.history


def assert_same(found, expected):
    """Every bit."""
    assert found[1] == expected[1]
    for one, other in zip(found[0], expected[0], strict=True):
        np.testing.assert_array_equal(one, other)


def as_they_are(batches):
    return batches


def mapped(batches):
    return batches.map(lambda x, y: (2 * x, y))


def repeated(batches):
    return mapped(batches).repeat()


def in_one_order(batches):
    """Batches that say neither where they are nor how many."""
    return tf.data.Dataset.from_tensor_slices(examples()).batch(4).filter(lambda x, y: True)


@pytest.mark.parametrize(
    ("change", "fit", "hook", "calls"),
    [
        (as_they_are, {"steps_per_epoch": 4}, "on_train_batch_end", 5),
        (repeated, {"steps_per_epoch": 4}, "on_train_batch_end", 7),
        (mapped, {}, "on_train_batch_end", 9),
        (mapped, {}, "on_train_batch_end", 12),
        (mapped, {}, "on_epoch_end", 1),
        (in_one_order, {}, "on_train_batch_end", 9),
        (in_one_order, {}, "on_epoch_end", 1),
    ],
)
def test_resumes(tmp_path, change, fit, hook, calls):
    """A pass has six batches, accumulations go by fours."""
    assert train(tmp_path / "cut", change, cut_after(hook, calls), **fit) is None
    assert_same(train(tmp_path / "cut", change, **fit), train(tmp_path / "whole", change, **fit))
