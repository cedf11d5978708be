"""What takes part in a train step of `RegularizedModel`."""

from collections.abc import Callable
from typing import Any

from unitools.core.component import Component


class StepRegularizer(Component):
    """Changes the loss or the gradients of a train step. The base class of `RDrop`, `FGM`, `PGD`, `SharpnessAware`.

    Why: Keras has one `train_step` to override, so that two methods that each override it cannot be had together. Here
    each is a link of a chain around one plain computation, and knows nothing of the others: what it calls may be the
    plain computation or the next link.

    Override one method, and register the class so that saved models find it again. `unitools.regularization.extra_pass`
    is for passes beyond the first: it keeps batch norm statistics and metrics from being counted twice.

    Example:
    >>> @ut.core.register(package="docs")
    ... class Flooding(ut.regularization.StepRegularizer):
    ...     '''Keeps the loss from falling below a level.'''
    ...     def __init__(self, level=0.1):
    ...         self.level = level
    ...     def loss(self, model, forward, x, y, sample_weight):
    ...         loss, y_pred = forward(x, y, sample_weight)
    ...         return abs(loss - self.level) + self.level, y_pred
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    >>> model = ut.regularization.RegularizedModel(model, [Flooding(level=2.0)])
    >>> model.compile("sgd", "mse")
    >>> history = model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    >>> history.history["loss"]
    [3.0]
    """

    def __init__(self):
        pass

    def loss(self, model: Any, forward: Callable, x: Any, y: Any, sample_weight: Any) -> tuple[Any, Any]:
        """Return the loss to descend, and the predictions that metrics see.

        Args:
            model: The `RegularizedModel`.
            forward: Function of `(x, y, sample_weight)` that returns `(loss, y_pred)`: the model in training mode with
                its compiled loss and penalties, or the next regularizer. It may be called again, the later times in an
                `extra_pass`.
            x: Inputs.
            y: Labels.
            sample_weight: Weights, or None.
        """
        return forward(x, y, sample_weight)

    def gradients(self, model: Any, compute: Callable, x: Any, y: Any, sample_weight: Any) -> tuple[Any, list, Any]:
        """Return the loss to report, the gradients to apply, and the predictions that metrics see.

        Args:
            model: The `RegularizedModel`.
            compute: Function of `(x, y, sample_weight)` that returns `(loss, gradients, y_pred)`, the gradients of the
                scaled loss in the order of `model.trainable_weights`. It may be called again, the later times in an
                `extra_pass`.
            x: Inputs.
            y: Labels.
            sample_weight: Weights, or None.
        """
        return compute(x, y, sample_weight)
