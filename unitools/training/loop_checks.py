"""Whether a loop can train a model."""

import keras

from unitools.core.checks import fail


def check_model(model, own_step):
    """Raise unless a `Loop` can train the model.

    Args:
        model: The model.
        own_step: Whether the loop's class has a step or gradients of its own.
    """
    if not isinstance(model, keras.Model):
        fail("model", model, "a keras.Model")
    if not model.compiled or not isinstance(model.optimizer, keras.optimizers.Optimizer):
        fail("model", model, "compiled with an optimizer", "Call ut.training.compile(model) or model.compile(...).")
    inner = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if inner.gradient_accumulation_steps:
        fail("model", f"optimizer with gradient_accumulation_steps={inner.gradient_accumulation_steps}",
             "compiled with an optimizer that does not accumulate",
             "It would take the mean of micro-batch means. Use Loop(accumulate_steps=...).")  # fmt: skip
    if (
        type(model).train_step is not keras.Model.train_step
        and not hasattr(model, "compute_gradients")
        and not own_step
    ):
        fail("model", model, "a model with Keras' own train_step, or with `compute_gradients`",
             "Its train_step would be lost. Override `step` or `gradients` in a subclass of Loop.")  # fmt: skip
