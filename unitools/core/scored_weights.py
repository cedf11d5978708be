"""The weights that the scores of validation belong to, where they are not those that are trained."""

import contextlib
import weakref
from collections.abc import Callable

import keras

_VALIDATED_WITH = weakref.WeakKeyDictionary()
"""By model: the history of a fit, and the method that gives its weights of validation. Neither is kept alive."""


def validates_with(model: keras.Model, weights: Callable[[], contextlib.AbstractContextManager]) -> None:
    """Say that validation uses other weights than training, until this `fit` of the model ends.

    Args:
        model: The model, within a `fit`.
        weights: Method that returns a context in which the model holds them.
    """
    history = getattr(model, "history", None)  # None in a loop of one's own
    _VALIDATED_WITH[model] = history and weakref.ref(history), weakref.WeakMethod(weights)


def scored_weights(model: keras.Model, monitor: str) -> contextlib.AbstractContextManager:
    """Return a context in which the model holds the weights that a score of this `fit` belongs to.

    Args:
        model: The model, within a `fit`.
        monitor: Name of the score: those that begin with "val_" are from validation.
    """
    if model not in _VALIDATED_WITH or not monitor.startswith("val_"):
        return contextlib.nullcontext()
    history, weights = (reference and reference() for reference in _VALIDATED_WITH[model])
    # What a fit said that ended with an error is no longer true: each fit has a history of its own.
    valid = weights and history is getattr(model, "history", None)
    return weights() if valid else contextlib.nullcontext()
