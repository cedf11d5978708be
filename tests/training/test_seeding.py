"""One seed for all that draws. In processes of their own: deterministic operations are for good."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import config as framework_config

import unitools as ut


def drawn(model):
    """Return a draw of each generator, and one of a random layer of the model."""
    layer = float(keras.ops.sum(model(np.ones((1, 64), "float32"), training=True)))
    kernel = keras.initializers.GlorotUniform()((2, 2))
    return [random.random(), np.random.random(), float(tf.random.uniform(())), float(kernel[0, 0]), layer]


def restarts():
    """A run of `compare_runs` that checks the switch by itself, too."""
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dropout(0.5)])
    found = []
    for seed in (7, 7, 8):
        ut.training.deterministic(seed, model)
        found += [drawn(model), drawn(model)]
    assert framework_config.is_op_determinism_enabled()
    assert found[0] == found[2]
    assert found[1] == found[3]
    assert all(one != other for one, other in zip(found[0][:-1], found[1][:-1], strict=True))
    assert all(one != other for one, other in zip(found[0][:-1], found[4][:-1], strict=True))
    return found


def test_a_seed_restarts_all():
    assert ut.training.compare_runs(restarts, fresh_processes=True)


@pytest.mark.parametrize("seed", [-1, 2**31, 1.5, None])
def test_bad_seeds(seed):
    with pytest.raises(ValueError, match="`seed`"):
        ut.training.deterministic(seed)
    assert not framework_config.is_op_determinism_enabled()
