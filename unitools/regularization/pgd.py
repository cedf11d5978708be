"""Adversarial training with several steps along the gradient."""

from collections.abc import Callable, Sequence
from typing import Any

from unitools.core.checks import check_integer, check_number
from unitools.core.component import register
from unitools.regularization.adversarial_step import AdversarialStep, ascend, shorten


@register
class PGD(AdversarialStep):
    """Trains on each batch and on the same with its embeddings pushed uphill in several steps, as `FGM` in one.

    From r = 0, each step goes to r + step_size g / |g|, with g the gradient at the embeddings pushed by r, cut to
    length epsilon. The gradients of the loss without and with the last push are added.

    Why: several small steps find a worse case than one large one of the same reach. Each costs a pass: a train step
    makes `steps` + 1.

    Dropout masks, batch norm, metrics and the loss reported are as in `FGM`.

    Args:
        epsilon: Largest length of the push, >= 0. Default 1. 0 turns it off.
        step_size: Length of each step, > 0. Default 0.3.
        steps: Number of steps, >= 1. Default 3.
        layers: Names or patterns of the layers that embed. Default None: as in `FGM`.
        target: "output" (default) or "table", as in `FGM`.

    Raises:
        ValueError: An argument is out of range. From `fit`: no layer fits, or it has no trainable table.

    Example:
    >>> ids = keras.Input((5,), dtype="int32")
    >>> x = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(10, 4)(ids))
    >>> model = keras.Model(ids, keras.layers.Dense(2, activation="softmax")(x))
    >>> model = ut.regularization.RegularizedModel(model, [ut.regularization.PGD(epsilon=0.5, steps=2)])
    >>> model.compile("sgd", "sparse_categorical_crossentropy")
    >>> history = model.fit(np.ones((8, 5), "int32"), np.zeros(8), verbose=0)

    Source:
        Madry et al. 2018, https://arxiv.org/abs/1706.06083, section 2.1, with the Euclidean ball that is usual for
        embeddings in place of the maximum norm, from the centre of the ball, and with the plain gradient added.
    """

    def __init__(
        self,
        epsilon: float = 1.0,
        *,
        step_size: float = 0.3,
        steps: int = 3,
        layers: str | Sequence[str] | None = None,
        target: str = "output",
    ):
        self.step_size = check_number("step_size", step_size, 0, open_low=True)
        self.steps = check_integer("steps", steps, 1)
        super().__init__(epsilon, layers=layers, target=target, num_pushes=self.steps)

    def push(self, shift: Any, slope: Any, lengths: Callable) -> Any:
        """Return the shifts one step further, within the ball."""
        return shorten(ascend(shift, slope, self.step_size, lengths), self.epsilon, lengths)
