import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut


def closed_form(step, *, peak=0.3, steps=20, warmup=4, decay="cosine", end=0.1):
    if step < warmup:
        return peak * (step + 1) / warmup
    t = min((step - warmup) / (steps - warmup), 1) if decay else 0
    f = (1 + math.cos(math.pi * t)) / 2 if decay == "cosine" else 1 - t
    return peak * end + (peak - peak * end) * f


@pytest.mark.parametrize("decay", ["cosine", "linear", None])
@pytest.mark.parametrize("warmup", [0, 4])
def test_follows_the_closed_form_at_every_step(decay, warmup):
    rate = ut.training.WarmupDecay(0.3, steps=20, warmup_steps=warmup, decay=decay, end_fraction=0.1)
    compiled = tf.function(rate, jit_compile=True)
    expected = [closed_form(step, warmup=warmup, decay=decay) for step in range(25)]
    np.testing.assert_allclose([float(rate(step)) for step in range(25)], expected, rtol=1e-5, atol=1e-8)
    steps = [tf.constant(step, tf.int64) for step in range(25)]
    np.testing.assert_allclose([float(compiled(step)) for step in steps], expected, rtol=1e-5, atol=1e-8)


def test_agrees_with_keras_cosine_without_warmup():
    ours = ut.training.WarmupDecay(0.5, steps=10)
    theirs = keras.optimizers.schedules.CosineDecay(0.5, 10)
    for step in range(12):
        assert float(ours(step)) == pytest.approx(float(theirs(step)), abs=1e-7)


def test_survives_its_config():
    rate = ut.training.WarmupDecay(0.3, steps=20, warmup_steps=4, decay="linear", end_fraction=0.1)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(rate))
    assert again.get_config() == rate.get_config()
    assert rate.get_config() == {
        "learning_rate": 0.3, "steps": 20, "warmup_steps": 4, "decay": "linear", "end_fraction": 0.1
    }  # fmt: skip
    assert float(again(7)) == float(rate(7))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate=0.0"),
        ({}, "steps=None"),
        ({"steps": 5, "warmup_steps": 5}, "more than warmup_steps=5"),
        ({"steps": 5, "decay": "step"}, "decay='step'"),
        ({"steps": 5, "end_fraction": 2}, "end_fraction=2"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ut.training.WarmupDecay(**{"learning_rate": 0.1, **arguments})
