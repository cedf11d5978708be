"""A range test in one call."""

from typing import Any

import keras
import tensorflow as tf

from unitools.callbacks.learning_rate_curve import LearningRateCurve
from unitools.callbacks.learning_rate_finder import LearningRateFinder
from unitools.core.checks import fail


def find_learning_rate(
    model: keras.Model, data: Any, *, finder: LearningRateFinder | None = None, batch_size: int | None = None
) -> LearningRateCurve:
    """Run a range test of the learning rate, and leave the model as it was, whether it ends well or with an error.

    Data with a position, such as `ut.data`'s batches, are put back to it. Arrays are shuffled as `fit` does it, and a
    `tf.data` data set that shuffles goes on: a later `fit` sees another order than it would have.

    Args:
        model: A compiled model.
        data: The training data: a data set of batches, or `(inputs, labels)` or `(inputs, labels, weights)` as arrays.
        finder: The test. Default None: `LearningRateFinder()`.
        batch_size: Examples a batch, for arrays. Default None: 32.

    Returns:
        The curve, with its `suggestion`.

    Raises:
        ValueError: The model is not compiled, or its first loss is not finite.

    Example:
    >>> import keras, numpy
    >>> import unitools as ut
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    >>> model.compile("sgd", "mse")
    >>> test = ut.callbacks.LearningRateFinder(1e-4, 1.0, steps=20)
    >>> curve = ut.callbacks.find_learning_rate(model, (numpy.ones((8, 2)), numpy.ones(8)), finder=test)
    >>> len(curve.rates) <= 20 and curve.suggestion > 1e-4
    True
    """
    if not getattr(model, "compiled", False):
        fail("model", getattr(model, "name", model), "compiled", "Call ut.training.compile(model) first.")
    finder = finder or LearningRateFinder()
    inputs = dict(zip(("x", "y", "sample_weight"), data, strict=False)) if isinstance(data, tuple) else {"x": data}
    shuffle = not isinstance(data, tf.data.Dataset)  # Keras warns where it is told to shuffle one
    position = data.state_dict() if hasattr(data, "state_dict") else None
    try:
        # Each epoch has a step at the least, and the test stops itself.
        model.fit(**inputs, batch_size=batch_size, epochs=finder.steps, shuffle=shuffle, verbose=0, callbacks=[finder])
    finally:
        finder.restore()
        if position is not None:
            data.load_state_dict(position)
    return finder.curve
