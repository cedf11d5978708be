"""A further pass through a model, of which nothing stays but its result."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

_THREAD = threading.local()  # Each replica of a distribution strategy is traced in a thread of its own.


@contextlib.contextmanager
def extra_pass(
    model: keras.Model, *, weights: Sequence[tuple[Any, Any]] = (), noise: Sequence[tuple[Any, Any]] | None = None
) -> Iterator[keras.StatelessScope]:
    """Let a model be called once more within a step, maybe at other weights, without a trace in its state.

    Inside, batch norm uses the batch and leaves its moving statistics as they are, metrics and trackers of losses do
    not count, and no weight is written to: other weights are only read in their place, so none has to be put back.
    These blocks may lie inside each other. Works in graphs, under XLA and in the replicas of a strategy.

    Args:
        model: The model.
        weights: Pairs (variable, tensor): what the variable reads as. Default: none.
        noise: What `noise_state` returned, to draw the same dropout masks once more. Default None: new ones. The
            model's seeds then go on for good.

    Yields:
        The scope, whose `get_current_value(variable)` is what a variable would have become.

    Example:
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    >>> kernel = model.layers[0].kernel
    >>> with ut.regularization.extra_pass(model, weights=[(kernel, 3 * kernel.numpy())]):
    ...     print(model(np.ones((1, 2))).numpy())
    [[6.]]
    >>> print(model(np.ones((1, 2))).numpy())
    [[2.]]
    """
    outer = getattr(_THREAD, "scope", None)
    values = _penalised(model) + list(noise or ()) + list(weights)
    scope = keras.StatelessScope(values, collect_losses=True, initialize_variables=False)
    if outer is not None:
        scope.state_mapping = outer.state_mapping | scope.state_mapping
    _THREAD.scope = scope
    try:
        with scope:
            yield scope
    finally:
        _THREAD.scope = outer
    if noise is None:
        _keep_seeds(model, scope)


def noise_state(model: keras.Model) -> list[tuple[Any, Any]]:
    """Return where the model's random layers stand now, for `extra_pass(noise=...)`.

    Args:
        model: The model.
    """
    return [(state, tf.identity(state.value)) for state in _seeds(model)]


def _penalised(model):
    """Return (variable, value) of what has a regularizer: Keras asks the scope for these, and takes no for None."""
    return [(v, tf.convert_to_tensor(v.value)) for v in model.trainable_weights if v.regularizer is not None]


def _seeds(model):
    generators = {id(found): found for layer in model._flatten_layers() for found in layer._seed_generators}
    return [generator.state for generator in generators.values()]


def _keep_seeds(model, scope):
    for state in _seeds(model):
        value = scope.get_current_value(state)
        if value is not None:
            state.assign(value)
