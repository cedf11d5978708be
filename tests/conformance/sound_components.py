"""One component of each kind that keeps every promise. The broken ones differ from them in one thing."""

import keras
import numpy as np
import tensorflow as tf

from unitools.core import Component, register
from unitools.core.checks import check_integer, check_number
from unitools.testing import Specimen


@register(package="conformance")
class SoundLayer(Component, keras.layers.Layer):
    """Project a sequence, add its mean over time, and drop values in training.

    Args:
        units: Number of features.
        rate: Share of values to drop.
        seed: Seed of the draws.

    Example:

    >>> SoundLayer = keras.saving.get_registered_object("conformance>SoundLayer")
    >>> SoundLayer(2)(np.ones((1, 3, 4))).shape
    TensorShape([1, 3, 2])
    """

    def __init__(self, units, rate=0.1, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.units = check_integer("units", units, 1)
        self.rate = check_number("rate", rate, 0, 1)
        self.seed = seed
        self._draws = keras.random.SeedGenerator(seed)
        self.supports_masking = True

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")

    def call(self, inputs, training=False, mask=None):
        outputs = keras.ops.matmul(inputs, self.kernel)
        outputs = outputs + self.mean(outputs, mask)
        return keras.random.dropout(outputs, self.rate, seed=self._draws) if training else outputs

    def mean(self, values, mask):
        if mask is None:
            return keras.ops.mean(values, axis=1, keepdims=True)
        kept = keras.ops.cast(mask, values.dtype)[..., None]
        return keras.ops.sum(values * kept, axis=1, keepdims=True) / keras.ops.sum(kept, axis=1, keepdims=True)


@register(package="conformance")
class SoundLoss(Component, keras.losses.Loss):
    """Mean of the absolute error to a power.

    Args:
        power: Exponent.

    >>> 1 + 1
    2
    """

    def __init__(self, power=1.0, **kwargs):
        super().__init__(**kwargs)
        self.power = power

    def call(self, y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** self.power, axis=-1)


@register(package="conformance")
class SoundMetric(Component, keras.metrics.Metric):
    """Mean absolute error times a scale.

    Args:
        scale: Factor of the result.

    >>> 1 + 1
    2
    """

    def __init__(self, scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, y_true, y_pred, sample_weight=None):
        errors = keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)
        weights = keras.ops.ones_like(errors) if sample_weight is None else sample_weight
        self.total.assign_add(keras.ops.sum(errors * weights))
        self.count.assign_add(keras.ops.sum(weights))

    def result(self):
        return self.scale * self.total / self.count


@register(package="conformance")
class SoundCallback(Component, keras.callbacks.Callback):
    """Stop after some epochs, half way back to the start.

    Args:
        epochs: How many.

    >>> 1 + 1
    2
    """

    def __init__(self, epochs=1, **kwargs):
        super().__init__(**kwargs)
        self.epochs = epochs
        self._seen, self._start = 0, None

    def on_train_begin(self, logs=None):
        self._seen, self._start = 0, self.model.get_weights()[0]

    def on_epoch_end(self, epoch, logs=None):
        self._seen += 1
        self.model.stop_training = self._seen >= self.epochs

    def on_train_end(self, logs=None):
        kernel = self.model.weights[0]
        kernel.assign((kernel + self._start) / 2)

    def get_state(self):
        return {"seen": self._seen}

    def set_state(self, state):
        self._seen = state["seen"]

    def get_arrays(self):
        return {"start": self._start}

    def set_arrays(self, arrays):
        self._start = arrays["start"]


@register(package="conformance")
class SoundAugmenter(Component, keras.layers.Layer):
    """Mirror some pictures.

    Args:
        probability: Share of the pictures to mirror.

    >>> 1 + 1
    2
    """

    def __init__(self, probability=0.5, **kwargs):
        super().__init__(**kwargs)
        self.probability = probability

    def call(self, inputs, training=False):
        return inputs

    def chosen(self, seeds):
        return tf.cast((seeds[:, 0] * 7919 + seeds[:, 1] * 7727) % 97, "float32") < 97 * self.probability

    def mirrored(self, pictures, seeds):
        return tf.where(self.chosen(seeds)[:, None, None, None], pictures[:, :, ::-1], pictures)

    def augment(self, batch, seeds):
        moved = {key: self.mirrored(batch[key], seeds) for key in ("images", "masks")}
        x1, y1, x2, y2 = tf.unstack(batch["boxes"], axis=-1)
        width = tf.cast(tf.shape(batch["images"])[2], x1.dtype)
        boxes = tf.stack([width - x2, y1, width - x1, y2], axis=-1)
        return {**batch, **moved, "boxes": tf.where(self.chosen(seeds)[:, None, None], boxes, batch["boxes"])}


def sequences():
    return np.random.default_rng(0).normal(size=(4, 6, 5)).astype("float32")


def scores():
    generator = np.random.default_rng(1)
    return generator.normal(size=(6, 3)).astype("float32"), generator.normal(size=(6, 3)).astype("float32")


def pictures():
    generator = np.random.default_rng(2)
    images = generator.integers(0, 256, (8, 12, 12, 3)).astype("uint8")
    boxes = np.tile(np.array([[[1, 2, 5, 8]]], "float32"), (8, 1, 1))
    return {"images": images, "masks": generator.integers(0, 3, (8, 12, 12, 1)).astype("uint8"), "boxes": boxes}


LAYER = Specimen(
    SoundLayer, {"units": 3, "rate": 0.4, "seed": 5}, sequences, output_shape=(4, 6, 3), bad={"units": -2, "rate": 1.5}
)
LOSS = Specimen(SoundLoss, {"power": 2.0}, scores)
METRIC = Specimen(SoundMetric, {"scale": 3.0}, scores)
CALLBACK = Specimen(SoundCallback, {"epochs": 2})
AUGMENTER = Specimen(SoundAugmenter, {"probability": 0.6}, pictures, identity={"probability": 0.0})
SOUND = [LAYER, LOSS, METRIC, CALLBACK, AUGMENTER]
