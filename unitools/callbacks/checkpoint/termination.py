"""SIGTERM, noted for the end of the step."""

import os
import signal
import threading

import keras

from unitools.callbacks.checkpoint.running_fit import is_fitting


class Termination:
    """Notes SIGTERM while a model trains. A signal at any other time goes where it went before.

    Args:
        model: The model.
    """

    def __init__(self, model: keras.Model):
        self._model = model
        self._before = None
        self.requested = False

    def watch(self) -> None:
        """Begin. Only the main thread can; in others nothing is watched."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._note)

    def end(self) -> None:
        """Give the signal back."""
        if self._before is not None and signal.getsignal(signal.SIGTERM) == self._note:
            signal.signal(signal.SIGTERM, self._before)
        self._before = None

    def _note(self, number, frame):
        if is_fitting(self._model, frame):
            self.requested = True
            return
        # `fit` ended with an error, after which callbacks are not called.
        self.end()
        os.kill(os.getpid(), number)
