"""How to build the components of unitools.backbones."""

import keras
import numpy as np

from unitools.backbones import (
    Backbone,
    CharacterEmbedding,
    EncoderBlock,
    Preprocess,
    TextBackbone,
    TextEmbedding,
    WordEmbedding,
    lstm,
)
from unitools.testing import Specimen


def _pixels():
    return np.random.default_rng(0).uniform(0, 255, (4, 8, 8, 3)).astype("float32")


def _scaled():
    return _pixels() / 255


def _network():
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same", name="stem")(inputs)
    x = keras.layers.Conv2D(5, 3, strides=2, padding="same", activation="relu", name="stage")(x)
    return keras.Model(inputs, x, name="network")


def _features():
    return np.random.default_rng(0).normal(size=(4, 6, 8)).astype("float32")


def _words():
    ids = np.random.default_rng(0).integers(1, 20, (4, 6)).astype("int32")
    return {"token_ids": ids, "padding_mask": np.ones((4, 6), "bool")}


def _pairs():
    return _words() | {"segment_ids": np.repeat([[0, 0, 1, 1, 2, 2]], 4, axis=0).astype("int32")}


def _spelled():
    return np.random.default_rng(0).integers(0, 20, (4, 5, 6)).astype("int32")


SPECIMENS = [
    Specimen(
        Preprocess,
        arguments={"mean": (120.0, 110.0, 100.0), "std": (60.0, 61.0, 62.0), "channel_order": "bgr"},
        inputs=_pixels,
        output_shape=(4, 8, 8, 3),
        bad={"mean": "grey", "std": 0.0, "channel_order": "gbr"},
    ),
    Specimen(
        Backbone,
        arguments={
            "model": _network(),
            "preprocess": Preprocess(mean=127.5, std=127.5, name="preprocess"),
            "pyramid": ((1, "stem"), (2, "stage")),
            "recipe": {"name": "network", "include_top": False},
        },
        inputs=_scaled,
        output_shape=(4, 2, 2, 5),
        bad={"model": "resnet50", "pyramid": ((1, "trunk"),)},
    ),
    Specimen(
        EncoderBlock,
        arguments={
            "num_heads": 2,
            "feed_forward_units": 12,
            "activation": "gelu_tanh",
            "dropout": 0.3,
            "attention_dropout": 0.2,
            "epsilon": 1e-5,
            "seed": 7,
        },
        inputs=_features,
        output_shape=(4, 6, 8),
        bad={
            "num_heads": 0,
            "feed_forward_units": 0,
            "activation": "geluu",
            "dropout": 1.5,
            "attention_dropout": -0.1,
            "epsilon": 0.0,
            "seed": 0.5,
        },
    ),
    Specimen(
        TextEmbedding,
        arguments={
            "vocabulary_size": 20,
            "units": 5,
            "max_positions": 6,
            "num_segments": 3,
            "dropout": 0.3,
            "epsilon": 1e-5,
            "seed": 7,
        },
        inputs=_pairs,
        output_shape=(4, 6, 5),
        bad={
            "vocabulary_size": 0,
            "units": 0,
            "max_positions": 0,
            "num_segments": -1,
            "dropout": 1.5,
            "epsilon": 0.0,
            "seed": 0.5,
        },
    ),
    Specimen(
        WordEmbedding,
        arguments={"vocabulary_size": 20, "units": 5},
        inputs=_words,
        output_shape=(4, 6, 5),
        bad={"vocabulary_size": 0, "units": 0},
    ),
    Specimen(
        CharacterEmbedding,
        arguments={
            "vocabulary_size": 20,
            "units": 6,
            "filters": 5,
            "kernel_size": 2,
            "dropout": 0.3,
            "seed": 7,
        },
        inputs=_spelled,
        output_shape=(4, 5, 5),
        bad={"vocabulary_size": 1, "units": 0, "filters": 0, "kernel_size": 0, "dropout": 1.5, "seed": 0.5},
    ),
    Specimen(
        TextBackbone,
        arguments={
            "model": lstm(20, embedding_size=4, units=3, dropout=0.0),
            "tokenizer_folder": "folder/with/vocabulary",
        },
        inputs=_words,
        output_shape={"sequence_output": (4, 6, 6), "pooled_output": (4, 6)},
        bad={"model": "bert"},
    ),
]
