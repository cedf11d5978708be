"""Penalties on the weights of an existing model."""

import math
from collections.abc import Iterator, Sequence

import keras

from unitools.core.checks import check_number, fail
from unitools.core.name_patterns import as_patterns, fitting
from unitools.regularization.penalty_report import PenaltyReport

_BIASES_AND_NORMS = ("bias", "beta", "gamma", "scale")


def penalize(
    model: keras.Model,
    *,
    l1: float = 0.0,
    l2: float = 0.0,
    include: str | Sequence[str] | None = None,
    exclude: str | Sequence[str] | None = None,
) -> PenaltyReport:
    """Add penalties on weights to the loss of a built model, in place.

    `fit` and `evaluate` then count l1 * sum |w| + l2 * sum w² in, each weight once, however often its layer is called.
    A frozen weight costs nothing, and counts from when it is unfrozen. With Adam and its kin, take weight decay instead
    (`ut.training.compile`): what their steps do to the gradient of a penalty is not shrinking.

    A weight has one penalty: this one replaces an earlier one, and one that its layer was made with. Both at 0 take it
    away. The penalty stands on the weights, not in the config: a model read from a `.keras` file has lost it. Call this
    again then.

    Args:
        model: A built model of any kind.
        l1: Factor of the sum of magnitudes, >= 0. Default 0.
        l2: Factor of the sum of squares, >= 0. Default 0.
        include: Paths, or patterns of paths, of the weights or layers to penalise ("head", "block_*/kernel"). Default
            None: all weights with two axes or more, but none called bias, beta, gamma or scale.
        exclude: Patterns of what to leave out of these. Default None: nothing.

    Returns:
        What is penalised, as a `PenaltyReport`.

    Raises:
        ValueError: A factor is negative, a pattern fits no weight, or the model is not built.
        TypeError: `model` is no Keras model.

    Example:
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    >>> report = ut.regularization.penalize(model, l1=0.5, l2=0.1)
    >>> round(float(sum(model.losses)), 4)
    1.2

    Source:
        Krogh and Hertz 1991, A simple weight decay can improve generalization.
    """
    l1, l2 = check_number("l1", l1, 0), check_number("l2", l2, 0)
    weights = learnable_weights(model)
    chosen = _chosen(weights, include, exclude)
    penalty = keras.regularizers.L1L2(l1, l2) if l1 or l2 else None
    return set_penalties(model, weights, {path: penalty for path in weights if path in chosen})


def learnable_weights(model: keras.Model) -> dict[str, keras.Variable]:
    """Return the weights that learn or would if they were not frozen, by path, each once."""
    if not isinstance(model, keras.Model):
        raise TypeError(f"`model` must be a Keras model. Received {type(model).__name__}. Give the model it is in.")
    if not model.built:
        fail("model", model.name, "built", "Call it on an input first: it has no weights yet.")
    found = {}
    for path, variable in _owned(model, "", set()):
        # Layers of one name in one place, and lists of weights, give equal paths.
        found[path if path not in found else f"{path}#{len(found)}"] = variable
    return found


def _owned(layer, prefix, seen) -> Iterator[tuple[str, keras.Variable]]:
    """Return each weight once, with the names of the layers around it. Keras' own paths leave nested models out."""
    for variable in layer._trainable_variables:
        if id(variable) not in seen:
            seen.add(id(variable))
            yield f"{prefix}{variable.name}", variable
    for inner in layer.layers if isinstance(layer, keras.Model) else layer._layers:
        yield from _owned(inner, f"{prefix}{inner.name}/", seen)


def set_penalties(model: keras.Model, weights: dict, penalties: dict) -> PenaltyReport:
    """Set the penalties by path, and say what was done. A compiled model's next `fit` counts them."""
    had = tuple(path for path in penalties if weights[path].regularizer is not None)
    for path, penalty in penalties.items():
        weights[path].regularizer = penalty
    if model.compiled:
        # Steps that were traced before have the old loss in them.
        model.train_function = model.test_function = None
    held = tuple(path for path, penalty in penalties.items() if penalty is not None)
    spared = tuple(path for path in weights if path not in held)
    return PenaltyReport(held, spared, sum(math.prod(weights[path].shape) for path in held), had)


def _chosen(weights, include, exclude):
    what = "the path of a weight or of a layer with weights"
    paths = list(weights)
    if include is None:
        chosen = {path for path, weight in weights.items() if _is_kernel(weight)}
    else:
        chosen = fitting("include", as_patterns("include", include), paths, what, inside=True)
    chosen -= fitting("exclude", as_patterns("exclude", exclude), paths, what, inside=True)
    if not chosen:
        fail("exclude" if exclude else "include", exclude or include, "patterns that leave weights to penalise")
    return chosen


def _is_kernel(weight):
    return len(weight.shape) > 1 and weight.name not in _BIASES_AND_NORMS
