"""Training, line by line."""

import time

import keras
from rich.console import Console
from rich.progress import Progress


class TrainingProgress(keras.callbacks.Callback):
    """Prints a line an epoch, and in a terminal a bar while it lasts.

    Args:
        console: Where to print.
        title: What is trained, the first word of every line.
    """

    def __init__(self, console: Console, title: str):
        super().__init__()
        self.console = console
        self.title = title
        self._bar = Progress(console=console, transient=True, disable=not console.is_terminal)

    def on_train_begin(self, logs=None):
        """Show the bar."""
        self._bar.start()

    def on_epoch_begin(self, epoch, logs=None):
        """Start the clock, and the bar at 0."""
        self._started = time.perf_counter()
        self._task = self._bar.add_task(f"{self.title} {epoch + 1}", total=self.params.get("steps"))

    def on_train_batch_end(self, batch, logs=None):
        """Move the bar."""
        self._bar.advance(self._task)

    def on_epoch_end(self, epoch, logs=None):
        """Print the line."""
        self._bar.remove_task(self._task)
        values = "  ".join(f"{name} {value:.4f}" for name, value in (logs or {}).items())
        seconds = time.perf_counter() - self._started
        line = f"{self.title} {epoch + 1}/{self.params['epochs']}  {values}  {seconds:.1f} s"
        self.console.print(line, highlight=False, soft_wrap=True)

    def on_train_end(self, logs=None):
        """Take the bar away."""
        self._bar.stop()
