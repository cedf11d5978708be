"""Adversarial training with one step along the gradient."""

from collections.abc import Callable, Sequence
from typing import Any

from unitools.core.component import register
from unitools.regularization.adversarial_step import AdversarialStep, ascend


@register
class FGM(AdversarialStep):
    """Trains on each batch and on the same with its embeddings pushed once uphill. A step of `RegularizedModel`.

    With g the gradient of the loss with respect to the embeddings, the push is epsilon g / |g|. The gradients of the
    loss without and with the push are added, so the step descends L + L_pushed.

    Why: words are discrete, their embeddings are not: a push makes a text that is a little worse for the model, and
    training on it smooths the model. It costs a second pass. Often of use where a text model learns from little data.

    The push draws the dropout masks of the plain pass and leaves batch norm statistics and metrics alone. No weight is
    written to, so there is none to put back. The loss reported is the plain one.

    Args:
        epsilon: Length of the push, >= 0. Default 1. 0 turns it off. For the output of a BERT embedding, whose rows
            have length about sqrt(units), 1 for a text is little; a table with rows of length about 1 takes 0.1 to 1.
        layers: Names or patterns of the layers that embed, as "tokens" or "bert/embedding*". Default None: every
            `keras.layers.Embedding`, and every layer that turns whole numbers into features. Nested models are opened.
        target: "output" (default): what the layers give out, each example pushed by itself, as in the paper. Frozen
            layers can be pushed too. "table": the largest trainable table of each layer, one push for the whole batch,
            as common code has it.

    Raises:
        ValueError: An argument is out of range. From `fit`: no layer fits, or it has no trainable table.

    Example:
    >>> ids = keras.Input((5,), dtype="int32")
    >>> x = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(10, 4)(ids))
    >>> model = keras.Model(ids, keras.layers.Dense(2, activation="softmax")(x))
    >>> model = ut.regularization.RegularizedModel(model, [ut.regularization.FGM(epsilon=0.5)])
    >>> model.compile("sgd", "sparse_categorical_crossentropy")
    >>> history = model.fit(np.ones((8, 5), "int32"), np.zeros(8), verbose=0)

    Source:
        Miyato, Dai and Goodfellow 2017, https://arxiv.org/abs/1605.07725, equations 4 and 5, with lambda = 1, on the
        embeddings as they are: the paper norms them first.
    """

    def __init__(self, epsilon: float = 1.0, *, layers: str | Sequence[str] | None = None, target: str = "output"):
        super().__init__(epsilon, layers=layers, target=target)

    def push(self, shift: Any, slope: Any, lengths: Callable) -> Any:
        """Return epsilon g / |g|."""
        return ascend(shift, slope, self.epsilon, lengths)
