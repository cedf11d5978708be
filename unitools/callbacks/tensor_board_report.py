"""A run in TensorBoard."""

import os
from collections.abc import Sequence
from numbers import Real
from typing import Any

import keras

from unitools.callbacks.example_report import ExampleReport
from unitools.callbacks.gradient_norms import GradientNorms
from unitools.callbacks.hyperparameter_record import (
    check_hyperparameters,
    write_columns,
    write_hyperparameters,
    write_success,
)
from unitools.callbacks.names import check_names
from unitools.callbacks.reported_metrics import metrics_with_report
from unitools.callbacks.summary_writers import SummaryWriters
from unitools.callbacks.table_writer import TableWriter
from unitools.core.checks import check_flag, check_integer, fail
from unitools.core.component import Component, register


@register
class TensorBoardReport(Component, keras.callbacks.Callback):
    """Writes a run for TensorBoard: scores, learning rate, gradients, score tables, confusion, mistakes, settings.

    In the folders `train` and `validation`, which TensorBoard draws into one chart:
    `epoch/NAME`, all that the epoch logs, at the epoch counted from 0; `step/learning_rate`, `step/gradient_norm/all`
    and `step/gradient_norm/GROUP` at the optimizer's step; of metrics with a `report()`, such as `EntityScores`, every
    number of the table and the table as text; of the data given to `examine`, `examples/confusion` as a picture and
    `examples/wrong` as pictures or texts.

    Why: Keras' callback shows the mean loss only. Which class is taken for which, which part of the net has exploding
    gradients and which examples stay wrong is what one changes a run by.

    Gradients are read inside the training step, from its own backward pass, before clipping. A group is a block of the
    model: a layer, or the stage that its name begins with, such as `conv2`. With gradient accumulation the norms are of
    one micro-batch; with several replicas they are the mean of the replicas'.

    Args:
        log_dir: Folder of the run, that TensorBoard is shown, or the one above it.
        every: Optimizer steps from one learning rate and gradient norm to the next, >= 1. The first step is always one.
            Default 20.
        gradients: Whether gradient norms are written. Default True. They cost one reading of the gradients each
            `every` steps.
        class_names: Names of the classes of the examined data. Default None: their numbers.
        wrong_examples: How many wrong examples are shown, those of the highest loss, >= 0. Default 12.
        hyperparameters: Settings of the run by name, numbers, texts or flags, for the table that compares runs.
            Default None: none.

    Raises:
        ValueError: An argument is out of range. From `fit`: the model has several optimizers.

    Example:
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    >>> model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    >>> inputs, labels = np.eye(4, dtype="float32"), np.array([0, 1, 2, 2])
    >>> report = ut.callbacks.TensorBoardReport("runs/first", hyperparameters={"units": 3}).examine(inputs, labels)
    >>> _ = model.fit(inputs, labels, epochs=2, verbose=0, callbacks=[report])
    """

    def __init__(
        self,
        log_dir: str | os.PathLike,
        *,
        every: int = 20,
        gradients: bool = True,
        class_names: Sequence[str] | None = None,
        wrong_examples: int = 12,
        hyperparameters: dict[str, Any] | None = None,
    ):
        super().__init__()
        if not (isinstance(log_dir, (str, os.PathLike)) and os.fspath(log_dir)):
            fail("log_dir", log_dir, "the path of a folder", "Give each run one of its own.")
        self.log_dir = os.fspath(log_dir)
        self.every = check_integer("every", every, 1)
        self.gradients = check_flag("gradients", gradients)
        self.class_names = check_names("class_names", class_names, "daisy")
        self.wrong_examples = check_integer("wrong_examples", wrong_examples, 0)
        self.hyperparameters = check_hyperparameters("hyperparameters", hyperparameters)
        self._examined, self._norms, self._writers = None, None, SummaryWriters(self.log_dir)
        self._begin()

    def set_params(self, params: dict[str, Any]) -> None:
        """Start anew: a `fit` that ended with an error has told nothing of it."""
        super().set_params(params)
        self._begin()

    def examine(self, inputs: Any, labels: Any, *, shown: Any = None) -> "TensorBoardReport":
        """Predict these examples at the end of each epoch, and show the confusion and the worst mistakes.

        They are no argument of the constructor, as no config could hold them.

        Args:
            inputs: Input of the model, as arrays: those of the validation data, or some of them.
            labels: Classes as integers, one an example or one a position, -1 where a position does not count; or
                one-hot.
            shown: What to show of an example: pictures from 0 to 255, or texts. Default None: the inputs, if they are
                pictures or texts, else the examples' numbers.

        Returns:
            The callback itself.

        Raises:
            ValueError: The lengths differ.
        """
        self._examined = ExampleReport(inputs, labels, shown, self.class_names, self.wrong_examples)
        return self

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Begin a run."""
        if self._norms is not None:
            self._norms.detach()  # of a `fit` that ended with an error
        if self._norms is None or not self._norms.fits(self.model):
            self._norms = GradientNorms(self.model, self.every, self.gradients)
        self._norms.attach()
        self._fitting = True

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Write the hyper-parameters of a run that begins."""
        if self.hyperparameters is not None and not self._described:
            write_hyperparameters(self._writers.at("", 0), self.hyperparameters, self.log_dir)
        self._described, self._tables = True, {}

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Note where the optimizer is when the first step begins, which after a resume is not at 0."""
        if self._before is None:
            self._before = self._norms.step

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Write learning rate and gradient norms, if the step is one of those that are read."""
        self._find()
        step = self._norms.due(self._before)
        if step is not None:
            values = {f"step/{name}": value for name, value in self._norms.read().items()}
            self._writers.scalars("train", values, step)
        self._before = self._norms.step

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Read the training data's tables, before validation resets them."""
        self._read("train")

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Look for the metrics after the first step, in which Keras makes them."""
        self._find()

    def on_test_end(self, logs: dict | None = None) -> None:
        """Read the validation data's tables."""
        self._read("validation")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Write all that the epoch tells. It is in the files when this returns."""
        if not self._tables:
            self._read("train")
        scores = _by_folder(logs or {})
        for folder, values in scores.items():
            self._writers.scalars(folder, values, epoch)
        for folder, tables in self._tables.items():
            for name, table in tables.items():
                self._table_writer(folder).write(name, table, epoch)
        if self._examined is not None:
            self._examined.write(self.model, self._writers, epoch)
        if self.hyperparameters is not None and not self._columns_written:
            columns = [(folder, tag) for folder, values in scores.items() for tag in values]
            write_columns(self._writers.at("", 0), self.hyperparameters, columns)
        self._columns_written = True
        self._writers.flush()

    def on_train_end(self, logs: dict | None = None) -> None:
        """Close the files, and leave the optimizer as it was."""
        if self.hyperparameters is not None:
            write_success(self._writers.at("", 0))
        self._norms.detach()
        self._writers.close()
        for writer in self._table_writers.values():
            writer.close()
        self._fitting, self._table_writers = False, {}

    def get_state(self) -> dict[str, bool]:
        """Return what is written once a run. Epochs and steps are Keras' and the optimizer's own."""
        return {"described": self._described, "columns_written": self._columns_written}

    def set_state(self, state: dict[str, bool]) -> None:
        """Go on from what `get_state` returned."""
        self._described, self._columns_written = bool(state["described"]), bool(state["columns_written"])

    def _begin(self):
        self._before, self._found, self._fitting = None, None, False
        self._tables, self._table_writers = {}, {}
        self._described, self._columns_written = False, False

    def _find(self):
        if self._fitting and self._found is None:
            self._found = metrics_with_report(self.model)

    def _read(self, folder):
        if self._fitting:
            self._tables[folder] = {name: metric.report() for name, metric in (self._found or {}).items()}

    def _table_writer(self, folder):
        if folder not in self._table_writers:
            self._table_writers[folder] = TableWriter(os.path.join(self.log_dir, folder))
        return self._table_writers[folder]


def _by_folder(logs):
    """Return the numbers of the logs by folder and tag, so that a score of both kinds of data has one tag."""
    folders = {"train": {}, "validation": {}}
    for name, value in logs.items():
        if isinstance(value, Real):
            folder = "validation" if name.startswith("val_") else "train"
            folders[folder][f"epoch/{name.removeprefix('val_')}"] = float(value)
    return {folder: values for folder, values in folders.items() if values}
