"""Tables of scores after each epoch."""

import os
from collections.abc import Sequence
from typing import Any

import keras

from unitools.callbacks.names import check_names
from unitools.callbacks.reported_metrics import reported_metrics
from unitools.callbacks.status_line import print_below
from unitools.callbacks.table_writer import TableWriter
from unitools.core.checks import check_flag, check_integer, fail
from unitools.core.component import Component, register

_DATA = {"train": "training data", "val": "validation data", "test": "evaluation"}


@register
class ScoreReport(Component, keras.callbacks.Callback):
    """Prints at the end of each epoch precision, recall and F1 of every type or tag, and draws them in TensorBoard.

    The tables are those of the metrics that the model was compiled with, `EntityScores`, `TokenReport` or another of
    `CountedScores`: of the validation data where there is any, else of the training data, which are scored while the
    weights still change. `evaluate` takes the callback too.

    Why: one F1 hides which type improves and which is never found, and when it went wrong.

    Args:
        metrics: Names of the metrics to report, such as ["entity"]. Default None: all that have a report.
        log_dir: Folder for TensorBoard. Default None: none. The tags are `val/entity/PER/f1` and so on, `train/...` for
            the training data, `test/...` for `evaluate` by itself; the step is the epoch from 0, as in Keras' own
            callback. `val/entity/report` is the table as text.
        every: Epochs from one report to the next, >= 1. Default 1. The last epoch is reported too.
        with_training: Whether the training data are reported where there are validation data. Default False.
        print_tables: Whether to print. Default True. Use False to write to `log_dir` only.

    Raises:
        ValueError: An argument is out of range. From `fit` and `evaluate`, after the first step: the model has no
            such metric; the text lists those there are.

    Example:
    >>> model = keras.Sequential([keras.Input((3, 2)), keras.layers.Identity()])
    >>> model.compile(loss=ut.losses.TokenCrossEntropy(), metrics=[ut.metrics.TokenReport(["O", "B-PER"])])
    >>> logits, labels = np.eye(2)[[[0, 1, 1]]], np.array([[0, 0, 1]])
    >>> _ = model.evaluate(logits, labels, verbose=0, callbacks=[ut.callbacks.ScoreReport()])
    token, evaluation
                precision   recall       f1  support
    O              1.0000   0.5000   0.6667        2
    B-PER          0.5000   1.0000   0.6667        1
    <BLANKLINE>
    micro          0.6667   0.6667   0.6667        3
    macro          0.7500   0.7500   0.6667        3
    weighted       0.8333   0.6667   0.6667        3

    Source:
        Keras 3.15, `Trainer.fit`: when validation begins the metrics still hold the training data's counts, and
        when it ends those of the validation data.
    """

    def __init__(
        self,
        metrics: Sequence[str] | None = None,
        *,
        log_dir: str | os.PathLike | None = None,
        every: int = 1,
        with_training: bool = False,
        print_tables: bool = True,
    ):
        super().__init__()
        self.metrics = check_names("metrics", metrics, "entity")
        if log_dir is not None and not (isinstance(log_dir, (str, os.PathLike)) and os.fspath(log_dir)):
            fail("log_dir", log_dir, "the path of a folder", "Use None to write nothing.")
        self.log_dir = None if log_dir is None else os.fspath(log_dir)
        self.every = check_integer("every", every, 1)
        self.with_training = check_flag("with_training", with_training)
        self.print_tables = check_flag("print_tables", print_tables)
        self._epoch = 0
        self._begin()

    def set_params(self, params: dict[str, Any]) -> None:
        """Start anew: a `fit` that ended with an error has told nothing of it."""
        super().set_params(params)
        self._begin()

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Begin to train."""
        self._fitting = True

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Note the epoch."""
        self._epoch, self._tables = epoch, {}

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Look for the metrics after the first step: Keras makes them in it."""
        self._find()

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Look for the metrics after the first step."""
        self._find()

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Read the training data's counts, before validation resets them."""
        if self._fitting and self.with_training:
            self._read("train")

    def on_test_end(self, logs: dict | None = None) -> None:
        """Read the counts; of an `evaluate` by itself report them."""
        self._read("val" if self._fitting else "test")
        if not self._fitting:
            self._report()
            self._close()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Report the epoch."""
        if "val" not in self._tables:
            self._read("train")
        if (epoch + 1) % self.every == 0 or epoch + 1 == self.params["epochs"]:
            self._report()

    def on_train_end(self, logs: dict | None = None) -> None:
        """Close TensorBoard's file."""
        self._close()
        self._fitting = False

    def get_state(self) -> dict[str, int]:
        """Return the last epoch, at which a later `evaluate` is drawn."""
        return {"epoch": self._epoch}

    def set_state(self, state: dict[str, int]) -> None:
        """Go on from what `get_state` returned."""
        self._epoch = int(state["epoch"])

    def _begin(self):
        self._fitting, self._found, self._tables, self._writer = False, {}, {}, None

    def _find(self):
        if not self._found:
            self._found = reported_metrics(self.model, self.metrics)

    def _read(self, data):
        self._tables[data] = {name: metric.report() for name, metric in self._found.items()}

    def _report(self):
        for data, tables in self._tables.items():
            for name, table in tables.items():
                if self.print_tables:
                    print_below(f"{name}, {self._heading(data)}\n{table}\n")
                if self.log_dir is not None:
                    self._writer = self._writer or TableWriter(self.log_dir)
                    self._writer.write(f"{data}/{name}", table, self._epoch)
        self._tables = {}

    def _heading(self, data):
        return f"{_DATA[data]}, epoch {self._epoch + 1}" if self._fitting else _DATA[data]

    def _close(self):
        if self._writer is not None:
            self._writer.close()
            self._writer = None
