"""A run with everything that has a state, cut anywhere: what the tests of exact resume train."""

import keras
import numpy as np
import tensorflow as tf

import unitools as ut

GENERATOR = np.random.default_rng(0)
FEATURES = GENERATOR.normal(size=(86, 6)).astype("float32")
LABELS = (FEATURES.sum(1, keepdims=True) > 0).astype("float32")
BATCH, STEPS, VALIDATION_STEPS = 8, 11, 4


class Cut(Exception):
    """What stands for a kill: the run does no more."""


class CutAfter(keras.callbacks.Callback):
    """Ends the run after so many batches of training, or of validation."""

    def __init__(self, batches, validation=False):
        super().__init__()
        self.left, self.validation = iter(range(batches - 1)), validation

    def _count(self):
        if next(self.left, None) is None:
            raise Cut

    def on_train_batch_end(self, batch, logs=None):
        if not self.validation:
            self._count()

    def on_test_batch_end(self, batch, logs=None):
        if self.validation:
            self._count()


def batches(seed, count=86, batch=BATCH):
    """Return batches in a new order in each epoch, with noise of their own in each."""
    features, labels = tf.constant(FEATURES[:count]), tf.constant(LABELS[:count])

    def load(index, seed):
        return features[index] + 0.1 * tf.random.stateless_normal([6], seed), labels[index]

    return ut.data.Batches(ut.data.Source(count, load), batch, seed=seed)


def network(units=16):
    """Return a net with batch norm, dropout and LoRA, its optimizer with schedule, accumulation and EMA."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((6,))
    x = keras.layers.BatchNormalization()(keras.layers.Dense(units, activation="relu", name="first")(inputs))
    x = keras.layers.Dropout(0.5)(keras.layers.Dense(8, activation="relu", name="second")(x))
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid", name="head")(x))
    ut.adaptation.LoRA(2, dropout=0.2, layers=["first", "second"], train_also=["head", "norms"]).apply(model, seed=5)
    rate = keras.optimizers.schedules.CosineDecay(1e-2, 30, warmup_steps=3, warmup_target=2e-2)
    optimizer = keras.optimizers.Adam(rate, use_ema=True, ema_momentum=0.9, gradient_accumulation_steps=2)
    metrics = ["accuracy", keras.metrics.AUC(name="auc")]
    return model, {"optimizer": optimizer, "loss": "binary_crossentropy", "metrics": metrics}


def train(folder, cut=None, *, resume=None, compile_with=None, callbacks=(), data=None, **fit):
    """Return history, variables and what the callbacks say; None if the run was cut.

    Args:
        folder: Of the checkpoints, or None to train without.
        cut: A `CutAfter`.
        resume: Arguments of `ExactResume`.
        compile_with: Changes to what `compile` is given.
        callbacks: More callbacks.
        data: Function that returns the training data.
        **fit: Changes to what `fit` is given.
    """
    model, compiled = network()
    model.compile(**compiled | (compile_with or {}))
    watched = "val_loss" if fit.get("validation_data", True) is not None else "loss"
    used = [keras.callbacks.EarlyStopping(watched, patience=1, restore_best_weights=True), *callbacks]
    if folder is not None:
        used.insert(0, ut.callbacks.ExactResume(str(folder), **{"every": 3, "keep": 2} | (resume or {})))
    fit = {"epochs": 3, "verbose": 0, "shuffle": False, "validation_data": batches(6, 30)} | fit
    try:
        history = model.fit((data or (lambda: batches(5)))(), callbacks=used + [cut] * (cut is not None), **fit)
    except Cut:
        return None
    variables = [variable.numpy() for variable in model.variables + model.optimizer.variables]
    decisions = [
        (callback.stopped_epoch, callback.best, callback.wait) for callback in used if hasattr(callback, "wait")
    ]
    return history.history, variables, decisions


def assert_same(found, expected):
    """Every bit."""
    assert found[0] == expected[0]
    assert found[2] == expected[2]
    for one, other in zip(found[1], expected[1], strict=True):
        np.testing.assert_array_equal(one, other)
