"""Steps towards flat minima."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from unitools.core.checks import check_flag, check_number
from unitools.core.component import register
from unitools.regularization.extra_pass import extra_pass, noise_state
from unitools.regularization.step_gradients import dense, norm
from unitools.regularization.step_regularizer import StepRegularizer

_SMALLEST_SCALE = 0.01  # eta of the ASAM paper, so that a weight at zero can be moved at all.


@register
class SharpnessAware(StepRegularizer):
    """Descends the gradient found where, near the weights, the loss is largest. A step of `RegularizedModel`.

    With the gradient g at the weights w, the step uses the gradient at w + rho g / |g|, the norm over all trainable
    weights. Adaptive: at w + rho T^2 g / |T g| with T = |w| + 0.01 by element, so that the neighbourhood scales with
    each weight.

    Why: minima that are flat tend to hold on new data. It helps most on small data and noisy labels, and costs a second
    pass: a step takes about twice the time.

    The second pass draws the dropout masks of the first, so that both gradients are of one function, and does not touch
    batch norm statistics. The loss reported is that at w. In each replica of a distribution strategy the neighbour is
    found from that replica's examples, as in the paper. Frozen weights stay where they are.

    Args:
        rho: Radius of the neighbourhood, >= 0. Default 0.05; use about 0.5 to 2 with `adaptive`. 0 turns it off.
        adaptive: Whether the neighbourhood scales with the weights (ASAM). Default False.

    Raises:
        ValueError: An argument is out of range.

    Example:
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    >>> model = ut.regularization.RegularizedModel(model, [ut.regularization.SharpnessAware(rho=0.1)])
    >>> model.compile("sgd", "mse")
    >>> history = model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    >>> history.history["loss"]
    [1.0]

    Source:
        Foret et al. 2021, https://arxiv.org/abs/2010.01412, equation 2 for p = 2, without weight decay in the
        neighbourhood's gradient unless it is a penalty of a layer. Kwon et al. 2021, https://arxiv.org/abs/2102.11600,
        algorithm 1; T covers biases and norms too.
    """

    def __init__(self, rho: float = 0.05, *, adaptive: bool = False):
        self.rho = check_number("rho", rho, 0, advice="Use rho=0 to turn it off.")
        self.adaptive = check_flag("adaptive", adaptive)

    def gradients(self, model: Any, compute: Callable, x: Any, y: Any, sample_weight: Any) -> tuple[Any, list, Any]:
        """Return the loss at the weights, and the gradients at the neighbour."""
        if not self.rho:
            return compute(x, y, sample_weight)
        noise = noise_state(model)
        loss, gradients, y_pred = compute(x, y, sample_weight)
        with extra_pass(model, weights=self._neighbour(model.trainable_weights, gradients), noise=noise):
            _, sharp, _ = compute(x, y, sample_weight)
        return loss, sharp, y_pred

    def _neighbour(self, variables, gradients):
        """Return (variable, value) of what has a gradient."""
        pairs = [(v, dense(g)) for v, g in zip(variables, gradients, strict=True) if g is not None]
        if not pairs:
            return []
        scales = [self._scale(variable) for variable, _ in pairs]
        length = norm([scale * gradient for scale, (_, gradient) in zip(scales, pairs, strict=True)])
        reach = tf.math.divide_no_nan(self.rho, length)
        return [
            (variable, variable.value + tf.cast(reach * scale**2 * gradient, variable.dtype))
            for scale, (variable, gradient) in zip(scales, pairs, strict=True)
        ]

    def _scale(self, variable):
        return tf.abs(tf.cast(variable.value, "float32")) + _SMALLEST_SCALE if self.adaptive else 1.0
