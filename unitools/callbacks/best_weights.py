"""The best weights, in a file."""

import glob
import os
from pathlib import Path
from typing import Any

import keras

from unitools.callbacks.checkpoint.workers import is_chief
from unitools.callbacks.monitored_score import MonitoredScore, lower_is_better
from unitools.callbacks.weight_file import check_weight_path, read_record, read_weights, write_weights
from unitools.core.component import register
from unitools.core.durable import clear_unfinished
from unitools.core.scored_weights import scored_weights


@register
class BestWeights(MonitoredScore):
    """Writes the weights of the best epoch to one file, which holds their score too, and keeps it over restarts.

    A later `fit`, in this process or another, with the same path replaces the file only by better weights. The score
    lies inside the file, so the two agree whenever the process dies: the file is written aside, forced to the disk and
    renamed. That is also all of the callback's state. Of several workers the first one writes.

    Args:
        path: The file. Its suffix says what is written. ".safetensors": the weights, by the paths of the variables.
            ".weights.h5": the weights, as Keras' `save_weights` does. ".keras": the whole model, with its optimizer.
        monitor: Name of the score in the logs. Default "val_loss".
        mode: "min": lower is better. "max": higher is better. "auto" (default): told from the name, see
            `MonitoredScore`.
        min_delta: What an improvement must be larger than, >= 0. Default 0.

    Raises:
        ValueError: An argument is out of range. From `fit`, at its beginning: what lies at `path` is no file of this
            callback, or holds another score; at the end of the first epoch: no log has this name.
        OSError: From `fit`: the file cannot be written. The one of before stays.

    Example:
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    >>> model.compile(keras.optimizers.SGD(1.5), "mse")
    >>> best = ut.callbacks.BestWeights("best.safetensors", "loss")
    >>> _ = model.fit(np.ones((4, 1)), np.zeros(4), epochs=3, verbose=0, callbacks=[best])
    >>> best.best_score, best.best_epoch
    (1.0, 0)
    >>> best.restore(model)
    """

    def __init__(
        self,
        path: str | os.PathLike,
        monitor: str = "val_loss",
        *,
        mode: str = "auto",
        min_delta: float = 0.0,
    ):
        super().__init__(monitor, mode=mode, min_delta=min_delta)
        self.path = check_weight_path("path", path)
        self._record = None

    @property
    def best_score(self) -> float | None:
        """The score of the weights in the file, None before there are any."""
        return self._recorded("score")

    @property
    def best_epoch(self) -> int | None:
        """The epoch, from 0, of the weights in the file."""
        return self._recorded("epoch")

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Read the score of the file that is there."""
        path = Path(self.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writes = is_chief(self.model)
        if self._writes:
            clear_unfinished(path.parent, glob.escape(path.name))
        self._record = self._read()

    def on_score(self, epoch: int, value: float) -> None:
        """Write the weights if they are better."""
        if self.improves(value, self.best_score):
            record = {"monitor": self.monitor, "mode": self._mode(), "score": value, "epoch": epoch}
            if self._writes:
                with scored_weights(self.model, self.monitor):
                    write_weights(self.path, self.model, record)
            self._record = record

    def restore(self, model: keras.Model) -> None:
        """Put the best weights into a model.

        Args:
            model: The model that was trained, or one that is made as it was.

        Raises:
            FileNotFoundError: Nothing was written yet.
            ValueError: The weights are of another model.
        """
        if not Path(self.path).exists():
            raise FileNotFoundError(f"There are no weights at {self.path!r} yet. Train with this callback first.")
        read_weights(self.path, model)

    def _read(self):
        if not Path(self.path).exists():
            return None
        record = read_record(self.path)
        if (record["monitor"], record["mode"]) != (self.monitor, self._mode()):
            raise ValueError(
                f"The weights at {self.path!r} were chosen by the {record['mode']}imum of {record['monitor']!r}. "
                f"Received monitor={self.monitor!r}, of which it is the {self._mode()}imum. Give another path, or move "
                "the file away."
            )
        return record

    def _mode(self):
        return "min" if lower_is_better(self.monitor, self.mode) else "max"

    def _recorded(self, name: str) -> Any:
        if self._record is None:
            self._record = self._read()
        return None if self._record is None else self._record[name]
