"""What tests.benchmarks.regularizers compares: a plain fine-tuning, and the same with one regularizer each."""

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

import unitools as ut

R = ut.regularization
LAST_CONVOLUTIONS = ("block7a_expand_conv", "block7a_dwconv", "block7a_project", "top_conv")
TOKENS = 48  # 98 % of the sentences of sst2 are no longer.


def same(thing):
    """Return what is given."""
    return thing


@dataclass(frozen=True)
class Recipe:
    """One regularizer.

    Args:
        dropout: Rate in the text encoder, or of dropout before the head for pictures.
        base: Function from a backbone to a changed one.
        ids: Function on token ids.
        head: Function from the head to its wrapper.
        model: Function that changes the whole model in place.
        steps: Function that returns the steps of a `RegularizedModel`, or None.
        callbacks: Function that returns callbacks.
        compile: Options of `ut.training.compile`.
    """

    dropout: float = 0.0
    base: Callable = same
    ids: Callable = same
    head: Callable = same
    model: Callable = same
    steps: Callable | None = None
    callbacks: Callable = list
    compile: dict = field(default_factory=dict)


BOTH = {
    "none": Recipe(),
    "dropout": Recipe(dropout=0.1),
    "weight decay 0.1": Recipe(compile={"weight_decay": 0.1}),
    "l2 penalty 1e-4": Recipe(model=lambda model: R.penalize(model, l2=1e-4)),
    "L2-SP 0.1": Recipe(model=lambda model: R.l2_sp(model, 0.1, 0.01, new="head")),
    "label smoothing 0.1": Recipe(compile={"label_smoothing": 0.1}),
    "stochastic depth 0.1": Recipe(base=lambda base: R.stochastic_depth(base, 0.1)),
    "multi-sample dropout": Recipe(head=lambda head: R.MultiSampleDropout(head, name="head")),
    "spectral norm of the head": Recipe(head=lambda head: R.SpectralNormalization(head, name="head")),
    "R-Drop 1": Recipe(dropout=0.1, steps=lambda: [R.RDrop(1.0)]),
    "sharpness-aware 0.05": Recipe(steps=lambda: [R.SharpnessAware(0.05)]),
    "sharpness-aware 0.5, adaptive": Recipe(steps=lambda: [R.SharpnessAware(0.5, adaptive=True)]),
    "exponential average": Recipe(callbacks=lambda: [R.ExponentialAverage(0.98)]),
    "stochastic average": Recipe(callbacks=lambda: [R.StochasticAverage(0.5)], compile={"decay": None}),
    "constant rate": Recipe(compile={"decay": None}),
}
PICTURES = BOTH | {
    "spatial dropout": Recipe(base=lambda base: R.add_dropout(base, 0.1, "spatial", after="block6d_add")),
    "DropBlock 0.1": Recipe(base=lambda base: R.add_dropout(base, 0.1, "block", after="block5c_add")),
    "mixout 0.7": Recipe(
        base=lambda base: R.wrap_layers(base, lambda layer: R.Mixout(layer, 0.7), keras.layers.Conv2D)
    ),
    "weight standardization": Recipe(base=lambda base: R.wrap_layers(base, R.WeightStandardization, LAST_CONVOLUTIONS)),
    "label smoothing 0.1, sharpness-aware 0.5, adaptive": Recipe(
        steps=lambda: [R.SharpnessAware(0.5, adaptive=True)], compile={"label_smoothing": 0.1}
    ),
}
TEXTS = BOTH | {
    "mixout 0.7": Recipe(
        base=lambda base: R.wrap_layers(base, lambda layer: R.Mixout(layer, 0.7), ut.backbones.EncoderBlock)
    ),
    "token dropout 0.1": Recipe(ids=lambda ids: R.TokenDropout(0.1, 103, keep=(0, 101, 102))(ids)),
    "token dropout 0.1, sharpness-aware 0.5, adaptive": Recipe(
        ids=lambda ids: R.TokenDropout(0.1, 103, keep=(0, 101, 102))(ids),
        steps=lambda: [R.SharpnessAware(0.5, adaptive=True)],
    ),
    "FGM 1": Recipe(steps=lambda: [R.FGM(1.0)]),
    "FGM 0.5 on the table": Recipe(steps=lambda: [R.FGM(0.5, target="table")]),
    "PGD 1, 3 steps": Recipe(steps=lambda: [R.PGD(1.0)]),
    "R-Drop 1, sharpness-aware 0.05": Recipe(dropout=0.1, steps=lambda: [R.SharpnessAware(0.05), R.RDrop(1.0)]),
}


class Flowers:
    """flower_photos with EfficientNet-Lite0, pictures of 160 x 160.

    Args:
        data: The folder with train and val.
        weights: The folder of the backbone.
        size: Number of training pictures, the same in all runs.
    """

    name, recipes, rate = "flowers", PICTURES, 1e-3

    def __init__(self, data: Path, weights: Path, size: int):
        self._weights = weights
        train, held_out = (ut.data.ImageFolder(data / part, image_size=(160, 160)) for part in ("train", "val"))
        chosen = balanced(train.labels, size)
        self.train = np.stack([train[place]["images"] for place in chosen]), train.labels[chosen]
        self.held_out = (
            np.stack([item["images"] for item in map(held_out.__getitem__, range(len(held_out)))]),
            (held_out.labels),
        )

    def build(self, recipe: Recipe) -> keras.Model:
        """Return the model, not compiled."""
        base = recipe.base(ut.backbones.load(self._weights, input_shape=(160, 160, 3)))
        pixels = keras.Input((160, 160, 3), name="images")
        x = keras.layers.GlobalAveragePooling2D()(base(base.preprocess(pixels)))
        x = keras.layers.Dropout(recipe.dropout)(x) if recipe.dropout else x
        return keras.Model(pixels, recipe.head(keras.layers.Dense(5, name="head"))(x))


class Sst2:
    """sst2 with MiniLM, sentences of 48 tokens at most.

    Args:
        data: The folder with train.csv and dev.csv.
        weights: The folder of the encoder.
        size: Number of training sentences, the same in all runs.
    """

    name, recipes, rate = "sst2", TEXTS, 1e-4

    def __init__(self, data: Path, weights: Path, size: int):
        self._weights = weights
        self._tokenizer = ut.data.WordPieceTokenizer.from_folder(weights, max_length=TOKENS, padding="max_length")
        texts, labels = read_csv(data / "train.csv")
        chosen = balanced(labels, size)
        self.train = self._encoded([texts[place] for place in chosen]), labels[chosen]
        texts, labels = read_csv(data / "dev.csv")
        self.held_out = self._encoded(texts), labels

    def _encoded(self, texts):
        packed = self._tokenizer(texts)
        return {name: packed[name].numpy() for name in ("token_ids", "padding_mask")}

    def build(self, recipe: Recipe) -> keras.Model:
        """Return the model, not compiled."""
        base = recipe.base(ut.backbones.bert(self._weights, dropout=recipe.dropout))
        ids = keras.Input((TOKENS,), dtype="int32", name="token_ids")
        mask = keras.Input((TOKENS,), dtype="bool", name="padding_mask")
        encoder = keras.Model(dict(base.input), base.sequence_output, name="encoder")  # without the pooler
        features = encoder({"token_ids": recipe.ids(ids), "padding_mask": mask})
        x = keras.layers.GlobalAveragePooling1D()(features, mask=mask)
        inputs = {"token_ids": ids, "padding_mask": mask}
        return keras.Model(inputs, recipe.head(keras.layers.Dense(2, name="head"))(x))


def balanced(labels: np.ndarray, size: int) -> np.ndarray:
    """Return the places of `size` examples, as many of each class as of any other, always the same."""
    random, classes = np.random.default_rng(0), np.unique(labels)
    counts = [size // len(classes) + (number < size % len(classes)) for number in range(len(classes))]
    pairs = zip(classes, counts, strict=True)
    found = [random.permutation(np.flatnonzero(labels == name))[:count] for name, count in pairs]
    return random.permutation(np.concatenate(found))


def read_csv(path: Path) -> tuple[list[str], np.ndarray]:
    """Return texts and labels."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], np.array([int(row["label"]) for row in rows], "int32")
