"""Small nets, and what the papers' steps are on them, written out with nothing but a GradientTape."""

import keras
import numpy as np
import tensorflow as tf

import unitools as ut

ROWS, CLASSES = 16, 3


def batch(seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(ROWS, 4)).astype("float32"), random.integers(0, CLASSES, ROWS).astype("int32")


def texts(seed=0):
    random = np.random.default_rng(seed)
    return random.integers(0, 12, (ROWS, 5)).astype("int32"), random.integers(0, CLASSES, ROWS).astype("int32")


def dense_net(dropout=0.0, batch_norm=False, penalty=None):
    keras.utils.set_random_seed(3)
    inputs = keras.Input((4,))
    x = keras.layers.Dense(8, activation="tanh", kernel_regularizer=penalty, name="inner")(inputs)
    x = keras.layers.BatchNormalization(name="norm")(x) if batch_norm else x
    x = keras.layers.Dropout(dropout, seed=5)(x) if dropout else x
    return keras.Model(inputs, keras.layers.Dense(CLASSES, name="outer")(x), name="net")


def text_net(dropout=0.0):
    keras.utils.set_random_seed(3)
    ids = keras.Input((5,), dtype="int32")
    x = keras.layers.Embedding(12, 6, name="words", embeddings_initializer="normal")(ids)
    x = keras.layers.Dropout(dropout, seed=5)(x) if dropout else x
    x = keras.layers.Flatten()(keras.layers.Dense(4, activation="tanh", name="mix")(x))
    return keras.Model(ids, keras.layers.Dense(CLASSES, name="outer")(x), name="text")


def compiled(model, steps, **options):
    """Return the model with the steps, compiled with SGD at rate 1, so that weights move by the gradients."""
    model = ut.regularization.RegularizedModel(model, steps)
    settings = {"loss": loss_object(), "metrics": ["accuracy"], "jit_compile": False} | options
    model.compile(settings.pop("optimizer", keras.optimizers.SGD(1.0)), **settings)
    return model


def loss_object():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def cross_entropy(labels, logits):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))


def slopes(model, x, y, training=True):
    """Return the plain gradients of the trainable weights, as dense numpy arrays."""
    with tf.GradientTape() as tape:
        loss = cross_entropy(y, model(x, training=training))
    found = tape.gradient(loss, [v.value for v in model.trainable_weights])
    return [tf.convert_to_tensor(slope).numpy() for slope in found]


def dense_arrays(gradients):
    return [tf.convert_to_tensor(gradient).numpy() for gradient in gradients]


def assert_all_close(left, right, **tolerance):
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        np.testing.assert_allclose(one, other, **({"rtol": 1e-5, "atol": 1e-6} | tolerance))
