"""TensorBoard's files of one run: training and validation side by side."""

import os
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


class SummaryWriters:
    """Writes scalars, pictures and texts to folders below one, which TensorBoard draws into one chart.

    A file is made when it is first written to.

    Args:
        log_dir: The folder that TensorBoard is shown.
    """

    def __init__(self, log_dir: str):
        self._log_dir = log_dir
        self._writers = {}

    def scalars(self, folder: str, values: dict[str, float], step: int) -> None:
        """Write numbers by tag."""
        with self.at(folder, step):
            for tag, value in values.items():
                tf.summary.scalar(tag, value)

    def figure(self, folder: str, tag: str, figure: Figure, step: int) -> None:
        """Write a matplotlib figure as a picture."""
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        with self.at(folder, step):
            tf.summary.image(tag, np.asarray(canvas.buffer_rgba())[None])

    def text(self, folder: str, tag: str, text: str, step: int) -> None:
        """Write a text in Markdown."""
        with self.at(folder, step):
            tf.summary.text(tag, text)

    def at(self, folder: str, step: int) -> Any:
        """Return a context in which `tf.summary` writes to a folder, "" for the one above, at a step."""
        if folder not in self._writers:
            self._writers[folder] = tf.summary.create_file_writer(os.path.join(self._log_dir, folder))
        return self._writers[folder].as_default(step=step)

    def flush(self) -> None:
        """Put into the files what was written so far."""
        for writer in self._writers.values():
            writer.flush()

    def close(self) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}
