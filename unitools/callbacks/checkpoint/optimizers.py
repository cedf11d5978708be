"""The optimizers of a model: the one of `compile`, and those that a `train_step` of one's own uses."""

import keras

from unitools.core.checks import fail


def optimizers_of(model: keras.Model) -> list[keras.optimizers.Optimizer]:
    """Return the optimizer of `compile`, and then those that are attributes of the model, by name."""
    attributes = dict(sorted(vars(model).items()))
    found = [model.optimizer, *attributes.values()]
    found = [optimizer for optimizer in found if isinstance(optimizer, keras.optimizers.Optimizer)]
    return list({id(optimizer): optimizer for optimizer in found}.values())


def build_optimizers(model: keras.Model) -> None:
    """Make the variables of the optimizers, which Keras makes in the first step.

    Raises:
        ValueError: An optimizer beside the one of `compile` is not built; only its owner knows what it trains.
    """
    for optimizer in optimizers_of(model):
        if optimizer.built:
            continue
        if optimizer is not model.optimizer or len(optimizers_of(model)) > 1:
            advice = "Call its `build(variables)` with what it trains, before `fit`."
            fail("optimizer", type(optimizer).__name__, "built, as the model has several", advice)
        optimizer.build(model.trainable_variables)
