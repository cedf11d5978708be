"""Models small enough to train in a second, and what the tests of adapters do with them."""

import keras
import numpy as np

import unitools as ut

layers = keras.layers


def mlp(seed=0):
    """Return 6 -> 8 (tanh) -> 8 (tanh) -> 3 logits."""
    return seeded(
        keras.Sequential(
            [
                keras.Input((6,)),
                layers.Dense(8, "tanh", name="first"),
                layers.Dense(8, "tanh", name="second"),
                layers.Dense(3, name="top"),
            ]
        ),
        seed,
    )


def encoder(seed=0, dtype=None):
    """Return two of our encoder's blocks and a classifier, all layers inside composite ones."""
    inputs = x = keras.Input((None, 8))
    for number in (1, 2):
        x = ut.backbones.EncoderBlock(2, 12, dropout=0.0, attention_dropout=0.0, name=f"block_{number}", dtype=dtype)(x)
    return seeded(keras.Model(inputs, ut.heads.Classifier(3, name="head", dtype=dtype)(x)), seed)


def attention(seed=0):
    """Return Keras' attention, causal, with an auto-named head."""
    inputs = keras.Input((5, 8))
    x = layers.MultiHeadAttention(2, 4, name="attention")(inputs, inputs, use_causal_mask=True)
    x = layers.LayerNormalization(name="norm")(layers.Add()([inputs, x]))
    return seeded(keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling1D()(x))), seed)


def convolutions(seed=0):
    """Return two convolutions with batch norms and a classifier."""
    inputs = keras.Input((6, 6, 3))
    x = layers.BatchNormalization(name="norm1")(layers.Conv2D(4, 3, name="conv1")(inputs))
    x = layers.BatchNormalization(name="norm2")(layers.Conv2D(4, 3, activation="tanh", name="conv2")(x))
    return seeded(keras.Model(inputs, ut.heads.Classifier(3, activation=None, name="head")(x)), seed)


def seeded(model, seed):
    """Set all weights, biases too, from a seed: a model made twice is the same."""
    random = np.random.default_rng(seed)
    for variable in model.weights:
        value = random.normal(0, 0.4, variable.shape)
        variable.assign(np.abs(value) + 0.5 if "variance" in variable.name or variable.name == "gamma" else value)
    return model


def inputs_of(model, count=6, seed=1):
    shape = [5 if side is None else side for side in model.inputs[0].shape[1:]]
    return np.random.default_rng(seed).normal(size=(count, *shape)).astype("float32")


def answers(model):
    return keras.ops.convert_to_numpy(model(inputs_of(model), training=False))


def train(model, steps=3, rate=0.05, first=0, compile=True):
    """Train on batches numbered from `first`, and return the losses."""
    if compile:
        model.compile(keras.optimizers.Adam(rate), "mse")
    losses = []
    for number in range(first, first + steps):
        random = np.random.default_rng(100 + number)
        x = random.normal(size=(8, *inputs_of(model).shape[1:])).astype("float32")
        losses.append(float(model.train_on_batch(x, random.normal(size=(8, 3)))))
    return losses


def values(model):
    """Return the model's weights by path."""
    return {variable.path: variable.numpy() for variable in model.weights}
