"""Training on embeddings pushed to where the loss grows."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from unitools.core.checks import check_choice, check_number
from unitools.core.name_patterns import as_patterns
from unitools.regularization.embedding_places import PLACES, embedding_layers
from unitools.regularization.extra_pass import noise_state
from unitools.regularization.step_gradients import add
from unitools.regularization.step_regularizer import StepRegularizer


class AdversarialStep(StepRegularizer):
    """Adds the gradient at pushed embeddings to the plain one. The base class of `FGM` and `PGD`.

    Override `push` for another way to the worst case.

    Args:
        epsilon: Largest length of the push, >= 0. 0 turns it off.
        layers: Names or patterns of the layers whose embeddings are pushed. None: all that turn whole numbers into
            features.
        target: "output" or "table", see `FGM`.
        num_pushes: How often `push` is called.
    """

    def __init__(self, epsilon: float, *, layers: str | Sequence[str] | None, target: str, num_pushes: int = 1):
        self.epsilon = check_number("epsilon", epsilon, 0, advice="Use epsilon=0 to turn it off.")
        self.layers = layers if layers is None or isinstance(layers, str) else tuple(layers)
        self._patterns = as_patterns("layers", layers)
        self.target = check_choice("target", target, tuple(PLACES))
        self.num_pushes = num_pushes

    def push(self, shift: Any, slope: Any, lengths: Callable) -> Any:
        """Return the next shifts.

        Args:
            shift: The shifts so far, a list of tensors; zeros at first.
            slope: The gradients of the loss there, as `shift`.
            lengths: Function from such a list to the lengths, a number or one an example, that broadcast against it.
        """
        raise NotImplementedError

    def gradients(self, model: Any, compute: Callable, x: Any, y: Any, sample_weight: Any) -> tuple[Any, list, Any]:
        """Return the plain loss, and the sum of the plain gradients and those at the pushed embeddings."""
        if not self.epsilon:
            return compute(x, y, sample_weight)
        place = PLACES[self.target](model, embedding_layers(model, self._patterns))
        noise = noise_state(model)
        with place.watched() as probe:
            loss, gradients, y_pred = compute(x, y, sample_weight)
        slopes, pushed = place.slopes(probe, gradients), gradients
        shifts = [tf.zeros_like(slope) for slope in slopes]
        for number in range(self.num_pushes):
            shifts = self.push(shifts, slopes, place.lengths)
            with place.pushed(shifts, noise) as probe:
                _, pushed, _ = compute(x, y, sample_weight)
            if number + 1 < self.num_pushes:
                slopes = place.slopes(probe, pushed)
        return loss, [add(left, right) for left, right in zip(gradients, pushed, strict=True)], y_pred


def ascend(shifts: list, slopes: list, step_size: float, lengths: Callable) -> list:
    """Return the shifts, moved by `step_size` along the slopes."""
    return [
        shift + step_size * tf.math.divide_no_nan(slope, length)
        for shift, slope, length in zip(shifts, slopes, lengths(slopes), strict=True)
    ]


def shorten(shifts: list, longest: float, lengths: Callable) -> list:
    """Return the shifts, those longer than `longest` cut to it."""
    return [
        shift * tf.minimum(1.0, tf.math.divide_no_nan(longest, length))
        for shift, length in zip(shifts, lengths(shifts), strict=True)
    ]
