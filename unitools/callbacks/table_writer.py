"""Tables of scores for TensorBoard."""

import textwrap

import tensorflow as tf

from unitools.metrics import ScoreTable


class TableWriter:
    """Writes each number of a table as a scalar, and the table as text.

    Args:
        log_dir: Folder that TensorBoard is shown.
    """

    def __init__(self, log_dir: str):
        self._writer = tf.summary.create_file_writer(log_dir)

    def write(self, tag: str, table: ScoreTable, step: int) -> None:
        """Write `tag/row/score` for each number, and `tag/report`. It is in the file when this returns."""
        with self._writer.as_default(step=step):
            for row, scores in table.as_dict().items():
                for score, value in scores.items():
                    tf.summary.scalar(f"{tag}/{row}/{score}", value)
            # Indented, Markdown shows it letter by letter.
            tf.summary.text(f"{tag}/report", textwrap.indent(str(table), "    "))
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()
