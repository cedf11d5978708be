"""Training in a process of its own, as strategies need it: `python -m tests.training.distributed_run SETTINGS`.

Writes weights and history to a file. Not a test.
"""

import json
import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf

import unitools as ut

BATCH, SEED = 4, 3


def examples(loss, count):
    """Sentences, of which every other one has a single known tag where the loss counts tokens."""
    random = np.random.default_rng(0)
    tags = random.integers(0, 3, (count, 5))
    if loss == "tokens":
        tags[::2, 1:] = -1
    return random.normal(size=(count, 5, 4)).astype("float32"), tags


def batches(size, loss, count=36, shuffle=True):
    x, y = map(tf.constant, examples(loss, count))
    source = ut.data.Source(count, lambda index, seed: (x[index], y[index]))
    return ut.data.Batches(source, size, seed=SEED, shuffle=shuffle)


def tagger(loss, clip_norm):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((5, 4))
    hidden = keras.layers.Dense(6, activation="tanh")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3)(hidden))
    losses = {"tokens": ut.losses.TokenCrossEntropy(), "mean": keras.losses.SparseCategoricalCrossentropy(True)}
    model.compile(
        keras.optimizers.SGD(0.3, momentum=0.9, global_clipnorm=clip_norm), losses[loss], metrics=["accuracy"]
    )
    return model


def strategy_and_data(settings):
    """Return the strategy, the batches as it takes them, those of validation, and what knows the position."""
    make, loss = ut.training.distribution, settings["loss"]
    if settings["kind"] == "mirrored":
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
        strategy = make.strategy("mirrored", devices=["CPU:0", "CPU:1"])
        return strategy, batches(2 * BATCH, loss, settings["count"]), None, None
    index, addresses = settings["index"], settings["addresses"]
    strategy = make.multi_worker(addresses, index)
    parts = [batches(BATCH, loss, shuffle=shuffle).shard(index, len(addresses)) for shuffle in (True, False)]
    return strategy, *(make.local_batches(strategy, part) for part in parts), parts[0]


def slow_down(seconds):
    """Make the disk slower than the steps."""
    own = os.fsync

    def fsync(descriptor):
        time.sleep(seconds)
        own(descriptor)

    os.fsync = fsync


def train(settings):
    if "fsync_s" in settings:
        slow_down(settings["fsync_s"])
    strategy, data, validation, position = strategy_and_data(settings)
    with strategy.scope():
        model = tagger(settings["loss"], settings.get("clip_norm"))
    beat = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print("epoch", epoch, flush=True))
    fit = {"epochs": settings["epochs"], "verbose": 0, "callbacks": [beat]}
    if settings.get("resume"):
        resume = ut.callbacks.ExactResume(**settings["resume"])
        resume.data = position
        fit["callbacks"].append(resume)
    if settings.get("loop"):
        history = ut.training.Loop(model, **settings["loop"]).fit(data, **fit)
    else:
        history = model.fit(data, shuffle=False, validation_data=validation, **fit)
    return {"weights": [w.tolist() for w in model.get_weights()], "history": history.history}


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    try:
        found = train(given)
    except tf.errors.UnavailableError as error:
        found = {"error": type(error).__name__}
    with open(given["path"], "w") as file:
        json.dump(found, file)
