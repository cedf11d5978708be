import subprocess
import sys
from pathlib import Path

import pytest

_TRAIN = """
import tensorflow as tf
processor = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
import contextlib
import keras
import numpy as np
import unitools as ut
from tests.regularization.plain_steps import batch, compiled, dense_net, text_net, texts

R = ut.regularization


def halves(x, y):
    "Return batches of 8 whose halves are the same 4 examples, so that both replicas see what one would."
    order = np.concatenate([np.tile(np.arange(begin, begin + 4), 2) for begin in range(0, 16, 4)])
    return x[order], y[order]


def train(steps, net, data, strategy):
    x, y = halves(*data)
    with strategy.scope() if strategy else contextlib.nullcontext():
        model = compiled(net(), steps, optimizer=keras.optimizers.SGD(0.5), jit_compile=False)
    options = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0, "validation_data": (x, y)}
    history = model.fit(x, y, callbacks=[R.ExponentialAverage(0.7)], **options).history
    return [*model.get_weights(), *map(np.array, history.values())]


def normed():
    return dense_net(batch_norm=True, penalty=keras.regularizers.L2(0.01))


strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
for steps, net, data in [
    ([R.SharpnessAware(0.1), R.RDrop(1.0)], normed, batch()),
    ([R.FGM(0.5), R.SharpnessAware(0.1), R.RDrop(1.0)], text_net, texts()),
    ([R.PGD(0.5, steps=2, target="table")], text_net, texts()),
]:
    one, two = (train(steps, net, data, found) for found in (None, strategy))
    for left, right in zip(one, two, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-6)
print("replicas agree")
"""


@pytest.mark.slow
def test_two_replicas_that_see_the_same_train_as_one_device():
    """In a process of its own, as devices are split before TensorFlow first uses them."""
    root = Path(__file__).resolve().parents[2]
    found = subprocess.run([sys.executable, "-c", _TRAIN], cwd=root, capture_output=True, text=True, check=False)
    assert found.stdout.strip().endswith("replicas agree"), found.stderr[-3000:]
