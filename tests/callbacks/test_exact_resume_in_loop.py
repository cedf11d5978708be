"""`ExactResume` in `ut.training.Loop`: in the middle of an accumulation, of a pass, with several steps a call."""

import pytest
import tensorflow as tf

import unitools as ut
from tests.callbacks.resumed_run import Cut, CutAfter, assert_same, batches, network


def train(folder, cut=None, data=None, loop=None, **fit):
    model, compiled = network()
    compiled["optimizer"].gradient_accumulation_steps = None
    model.compile(**compiled)
    trainer = ut.training.Loop(model, **{"accumulate_steps": 3} | (loop or {}))
    resume = ut.callbacks.ExactResume(str(folder), every=2, allow=("order",))
    callbacks = [resume, *([] if cut is None else [cut])]
    fit = {"epochs": 3, "verbose": 0, "validation_data": batches(6, 30)} | fit
    try:
        history = trainer.fit((data or (lambda: batches(5)))(), callbacks=callbacks, **fit).history
    except Cut:
        return None
    variables = [variable.numpy() for variable in [*model.variables, *model.optimizer.variables, *trainer.variables]]
    return history, variables, None


@pytest.mark.parametrize("cut", [2, 12, 23])
def test_cut_in_the_middle_of_an_accumulation(tmp_path, cut):
    assert train(tmp_path / "cut", CutAfter(cut)) is None
    assert_same(train(tmp_path / "cut"), train(tmp_path / "whole"))


def test_cut_in_validation(tmp_path):
    assert train(tmp_path / "cut", CutAfter(6, validation=True)) is None
    assert_same(train(tmp_path / "cut"), train(tmp_path / "whole"))


@pytest.mark.parametrize("cut", [4])
def test_several_steps_a_call(tmp_path, cut):
    settings = {"loop": {"steps_per_call": 3}}
    assert train(tmp_path / "cut", CutAfter(cut), **settings) is None
    assert_same(train(tmp_path / "cut", **settings), train(tmp_path / "whole", **settings))


@pytest.mark.parametrize("cut", [8])
def test_data_in_one_order(tmp_path, cut):
    """Epochs of 7 steps of data that do not know their position."""
    source = list(batches(5))

    def data():
        spec = batches(5).element_spec
        return tf.data.Dataset.from_generator(lambda: iter(source), output_signature=spec)

    settings = {"data": data, "steps_per_epoch": 7}
    assert train(tmp_path / "cut", CutAfter(cut), **settings) is None
    assert_same(train(tmp_path / "cut", **settings), train(tmp_path / "whole", **settings))
