"""A penalty on the distance from the pretrained weights."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from unitools.core.checks import check_number, fail
from unitools.core.name_patterns import as_patterns, fitting
from unitools.regularization.penalize import learnable_weights, set_penalties
from unitools.regularization.penalty_report import PenaltyReport

_ATTRIBUTE = "l2_sp_starts"


def l2_sp(
    model: keras.Model,
    alpha: float = 0.1,
    beta: float = 0.01,
    *,
    new: str | Sequence[str] | None,
) -> PenaltyReport:
    """Add a penalty on the distance from the present weights to the loss of a built model, in place.

    For fine-tuning: the usual penalty pulls pretrained weights to zero, where they know nothing; this one pulls them
    back to where they were. The loss gets alpha / 2 * sum (w - w0)² of the pretrained weights, w0 being their present
    values, and beta / 2 * sum w² of the new ones. Biases and norms count, as in the paper.

    The values w0 become weights of the layers that do not learn: `save_weights` and a resumed run hold them, and so do
    models that share the layers. Build the model, load the pretrained weights, call this, then compile; do the same in
    a run that is to resume. As for `penalize`, a `.keras` file does not hold the penalty, it replaces earlier ones, and
    frozen weights cost nothing.

    Args:
        model: A built model with the pretrained weights in it.
        alpha: Factor for pretrained weights, >= 0. Default 0.1; the paper tried 0.001 to 1.
        beta: Factor for new weights, >= 0. Default 0.01, the paper's.
        new: Names, paths or patterns of the new layers ("head"), or None if there are none.

    Returns:
        What is penalised, as a `PenaltyReport`; `spared` is empty.

    Raises:
        ValueError: A factor is negative, a pattern fits nothing, the model is not built, or it has w0 already.
        TypeError: `model` is no Keras model.

    Example:
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="base"),
    ...                           keras.layers.Dense(1, kernel_initializer="ones", name="head")])
    >>> report = ut.regularization.l2_sp(model, 0.1, 0.02, new="head")
    >>> round(float(sum(model.losses)), 4)  # the base is where it was; three ones in the head
    0.03

    Source:
        Li, Grandvalet, Davoine 2018, https://arxiv.org/abs/1802.01483, equation 3.
    """
    alpha, beta = check_number("alpha", alpha, 0), check_number("beta", beta, 0)
    weights = learnable_weights(model)
    owners = {id(weight): layer for layer in model._flatten_layers() for weight in layer._trainable_variables}
    if any(hasattr(layer, _ATTRIBUTE) for layer in owners.values()):
        fail("model", model.name, "one without L2-SP", "It has starting values already. Build it anew for others.")
    what = "the path of a weight or of a layer with weights"
    chosen = fitting("new", as_patterns("new", new), list(weights), what, inside=True)
    starts = _keep_starts([weight for path, weight in weights.items() if path not in chosen], owners)
    penalties = {
        path: _Distance(alpha, starts[id(weight)]) if id(weight) in starts else _Distance(beta)
        for path, weight in weights.items()
    }
    return set_penalties(model, weights, penalties)


def _keep_starts(weights, owners):
    """Keep the present values in the layers that own the weights, and return them by the weight's id."""
    starts = {}
    for layer in {id(owners[id(weight)]): owners[id(weight)] for weight in weights}.values():
        own = [weight for weight in weights if owners[id(weight)] is layer]
        kept = _Starts(own)
        # Keras locks a layer once it is built; its own LoRA opens it in the same way.
        layer._tracker.unlock()
        setattr(layer, _ATTRIBUTE, kept)
        layer._tracker.lock()
        starts |= {id(weight): start for weight, start in zip(own, kept.values, strict=True)}
    return starts


class _Starts(keras.layers.Layer):
    """Holds the values that training of a layer started from."""

    def __init__(self, weights):
        super().__init__(name=_ATTRIBUTE, trainable=False)
        self.values = [self._copy(number, weight) for number, weight in enumerate(weights)]
        self.built = True

    def _copy(self, number, weight):
        return self.add_weight(
            shape=weight.shape,
            initializer=lambda shape, dtype=None: ops.convert_to_tensor(weight.numpy(), dtype=dtype),
            dtype=weight.dtype,
            trainable=False,
            name=f"start_{number}",
        )


class _Distance(keras.regularizers.Regularizer):
    """Half the squared distance from a point, or from zero, times a factor."""

    def __init__(self, factor: float, point: Any = None):
        self.factor = factor
        self.point = point

    def __call__(self, weight: Any) -> Any:
        step = weight if self.point is None else ops.subtract(weight, self.point)
        return 0.5 * self.factor * ops.sum(ops.square(step))
