"""What the language tasks share: batches, training, export, saving."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from unitools.callbacks import Progress
from unitools.core.checks import check_flag, check_integer, fail
from unitools.data import Batches
from unitools.export import VerificationReport, saved_model
from unitools.training import compile

AT_A_TIME = 256
"""Texts that are predicted in one call."""
LENGTHS_PER_DOUBLING = 4
"""Lengths of batches: 8, 10, 12, 14, 16, 20, ... They leave 8 % padding in CoNLL-2003, powers of two 29 %."""


class TextTask:
    """A model of token ids, and the layer that carries raw texts through it.

    `NamedEntityRecognizer` and `TextClassifier` derive from it. For a task of your own: give `layer` and the names of
    its inputs to the constructor, say in `check_reader` which readers fit, in `training_settings` how the model is
    compiled, and in `best_score` which score tells the best epoch.

    Args:
        layer: A layer from raw texts to answers, with the attributes `model` and `tokenizer`.
        inputs: Names of the layer's inputs, one text each.

    Attributes:
        layer: The layer.
        model: The model of token ids: a plain Keras model, yours to train, change or take further.
        tokenizer: The tokenizer.

    Example:
    >>> import unitools as ut
    >>> issubclass(ut.tasks.TextClassifier, ut.tasks.TextTask)
    True
    """

    best_score: str | None = None
    layer_type: type = keras.layers.Layer

    def __init__(self, layer: keras.layers.Layer, inputs: Sequence[str] = ("texts",)):
        self.layer = layer
        self._inputs = tuple(inputs)
        texts = {name: keras.Input((), dtype="string", name=name) for name in inputs}
        given = tuple(texts.values()) if len(texts) > 1 else next(iter(texts.values()))
        self._pipeline = keras.Model(texts, layer(given), name=f"{layer.name}_of_texts")

    @property
    def model(self) -> keras.Model:
        """The model of token ids."""
        return self.layer.model

    @property
    def tokenizer(self) -> keras.layers.Layer:
        """The tokenizer."""
        return self.layer.tokenizer

    def check_reader(self, reader: Any) -> None:
        """Raise unless the task can be trained and scored on the reader."""
        raise NotImplementedError(f"{type(self).__name__} must override `check_reader`.")

    def training_settings(self) -> dict[str, Any]:
        """Return the options of `ut.training.compile` that the task needs."""
        return {}

    def batches(self, reader: Any, batch_size: int = 16, **options: Any) -> Batches:
        """Return the batches of a reader as `model` takes them, for a training of your own.

        Args:
            reader: Texts with labels.
            batch_size: Texts a batch.
            **options: Those of the reader's `batches`. By default batches are padded to four lengths from one power of
                two to the next; with XLA, which compiles each, give `boundaries=1`.
        """
        self.check_reader(reader)
        options = {"boundaries": LENGTHS_PER_DOUBLING} | options
        return reader.batches(batch_size, encode=self.tokenizer, inputs=tuple(self.model.input), **options)

    def fit(
        self,
        train: Any,
        validation: Any = None,
        *,
        epochs: int = 3,
        batch_size: int = 16,
        learning_rate: float = 5e-5,
        augment: Any = None,
        callbacks: Sequence = (),
        keep_best: bool = True,
        seed: int | None = None,
        verbose: bool = True,
        **options: Any,
    ) -> keras.callbacks.History:
        """Train on a reader, and return the history.

        Args:
            train: Texts to train on.
            validation: Texts that are scored after every epoch. Default None: none.
            epochs: Passes over the texts, >= 1. Default 3.
            batch_size: Texts a batch. Default 16.
            learning_rate: Peak rate. Default 5e-5, for a pretrained encoder. An LSTM wants about 1e-3.
            augment: A text augmenter for the training texts. Default None.
            callbacks: Keras callbacks.
            keep_best: Whether the weights of the epoch with the best score on `validation` are kept at the end. Default
                True.
            seed: Seed of order, dropout and augmentation. Default None: random.
            verbose: Whether to show progress, what was chosen, and what was cut. Default True.
            **options: Those of `ut.training.compile`, such as `warmup`, `decay`, `layer_decay`, `loss`.

        Raises:
            ValueError: A reader has other tags or classes, or an argument is out of range.
        """
        check_integer("epochs", epochs, 1)
        changes = {} if augment is None else {"augment": augment}
        batches = self.batches(train, batch_size, seed=seed, **changes)
        held_out = None if validation is None else self.batches(validation, 2 * batch_size, seed=0)
        settings = {"learning_rate": learning_rate, "steps": epochs * len(batches), "seed": seed}
        compile(self.model, verbose=check_flag("verbose", verbose), **(settings | self.training_settings() | options))
        own = [Progress()] if verbose else []
        if verbose:
            print(_described(batches))
        if keep_best and validation is not None:
            # Never stops early: `patience` is the whole run.
            kept = {"mode": "max", "patience": epochs, "restore_best_weights": True}
            own.append(keras.callbacks.EarlyStopping(self.best_score, **kept))
        # shuffle=False: the batches shuffle themselves.
        return self.model.fit(
            batches, validation_data=held_out, epochs=epochs, shuffle=False, verbose=0, callbacks=[*own, *callbacks]
        )

    def answers(self, *columns: Sequence[str]) -> list[dict[str, np.ndarray]]:
        """Return what the layer gives for texts, a dict of arrays for each 256 of them.

        Args:
            *columns: The texts, one list for each input of the layer.
        """
        parts = []
        for start in range(0, len(columns[0]), AT_A_TIME):
            texts = [tf.constant(column[start : start + AT_A_TIME], tf.string) for column in columns]
            parts.append(self._pipeline.predict_on_batch(dict(zip(self._inputs, texts, strict=True))))
        return parts

    def export_texts(self, path: str | Path, columns: Sequence | None, **options: Any) -> VerificationReport:
        """Write the layer as a SavedModel of raw strings, verified on texts, one list for each input."""
        examples = None
        if columns is not None:
            arrays = [np.array(column, object) for column in columns]
            examples = dict(zip(self._inputs, arrays, strict=True))
        return saved_model(self._pipeline, path, inputs="arrays", examples=examples, **options)

    def save(self, path: str | Path) -> None:
        """Write model, tokenizer and names to one file.

        Args:
            path: Its name, which ends in .keras.
        """
        if Path(path).suffix != ".keras":
            fail("path", str(path), "a file name that ends in .keras")
        self._pipeline.save(path)

    @classmethod
    def load(cls, path: str | Path) -> "TextTask":
        """Return the task that `save` wrote. It can be trained on.

        Raises:
            ValueError: The file holds something else.
        """
        model = keras.saving.load_model(path, compile=False)
        layer = model.layers[-1] if isinstance(model, keras.Model) and model.layers else None
        if not isinstance(layer, cls.layer_type):
            fail("path", str(path), f"a file that {cls.__name__}.save wrote", f"It holds a {type(model).__name__}.")
        task = cls.__new__(cls)
        TextTask.__init__(task, layer, tuple(model.input) if isinstance(model.input, dict) else ("texts",))
        return task


def _described(batches):
    """Return what is padding, and what was cut, as a line."""
    cut = f"{batches.num_truncated} texts cut, {batches.num_lost_words} labelled words lost"
    return f"{len(batches)} batches, {batches.padding_share:.0%} of their tokens are padding; {cut}"
