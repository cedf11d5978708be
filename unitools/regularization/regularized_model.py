"""A model whose train step is a chain of regularizers."""

import functools
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from unitools.core.checks import fail
from unitools.core.component import Component, register
from unitools.regularization.output_probe import gradients_and_outputs, watch_outputs
from unitools.regularization.step_regularizer import StepRegularizer


@register
class RegularizedModel(Component, keras.Model):
    """Trains an existing model with R-Drop, adversarial examples, sharpness-aware steps and the like, in any mixture.

    The layers are the model's own, so what is trained here is trained there. `compile`, `fit`, `evaluate`, `predict`
    and saving are Keras' own, and the steps lie in the `.keras` file. Only the train step differs: it descends what the
    regularizers make of the loss and of its gradients. The rest is as in Keras: metrics are updated once a step with
    the predictions of the first, undisturbed pass, as are batch norm statistics; penalties of layers count once;
    loss scaling, XLA, accumulation and distribution work. Without steps, training equals Keras' bit for bit.

    The first of `steps` is the outermost. Those that change gradients (`FGM`, `PGD`, `SharpnessAware`) see what those
    after them make of the gradients; those that change the loss (`RDrop`) are inside of all these.

    Why: each of these methods is published as a train step of its own, and two of them do not combine.

    Args:
        model: Functional or sequential model with weights. Its layers are shared, not copied.
        steps: `StepRegularizer` objects. Default: none.
        **kwargs: `name` (default the model's), `trainable`.

    Call arguments:
        inputs: What `model` takes.
        training: Whether layers such as Dropout and BatchNormalization are in training mode.

    Input shape:
        The model's.

    Output shape:
        The model's.

    Raises:
        ValueError: `model` is not functional, is itself a `RegularizedModel` or has another train step that would be
            lost, or `steps` holds anything else than `StepRegularizer` objects.

    Example:
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.1), keras.layers.Dense(3)])
    >>> steps = [ut.regularization.SharpnessAware(rho=0.05), ut.regularization.RDrop(alpha=1.0)]
    >>> model = ut.regularization.RegularizedModel(model, steps)
    >>> _ = ut.training.compile(model, learning_rate=1e-3, verbose=False)
    >>> history = model.fit(np.ones((8, 4)), np.zeros(8, "int32"), verbose=0)
    >>> sorted(history.history)
    ['accuracy', 'loss']
    """

    def __init__(self, model: keras.Model, steps: Sequence[StepRegularizer] = (), **kwargs: Any):
        _check_model(model)
        kwargs.setdefault("name", model.name)
        kwargs.pop("dtype", None)  # A functional model has no policy of its own; its layers have theirs.
        super().__init__(inputs=_structure(model, "input"), outputs=_structure(model, "output"), **kwargs)
        self.__dict__["model"] = model  # For the config only. Tracked, it would hold every layer a second time.
        self.steps = _checked_steps(steps)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Take one step on a batch, and return the metrics. Keras calls it."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        loss, gradients, y_pred = self.compute_gradients(x, y, sample_weight)
        size = tf.shape(next(leaf for leaf in keras.tree.flatten(x) if leaf is not None))[0]
        self._loss_tracker.update_state(_unscaled(loss), sample_weight=size)
        if self.trainable_weights:
            self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def compute_gradients(self, x: Any, y: Any = None, sample_weight: Any = None) -> tuple[Any, list, Any]:
        """Return loss, gradients and predictions of a batch, for loops that apply the gradients themselves.

        The gradients are in the order of `trainable_weights`, and those of the loss as the compiled optimizer scales
        it, so `optimizer.apply` takes them as they are.

        Args:
            x: Inputs.
            y: Labels.
            sample_weight: Weights, or None.
        """
        compute = self._plain_gradients
        for step in reversed(self.steps):
            compute = functools.partial(step.gradients, self, compute)
        return compute(x, y, sample_weight)

    def _plain_gradients(self, x, y, sample_weight):
        values = [variable.value for variable in self.trainable_weights]
        with tf.GradientTape() as tape:
            tape.watch(values)  # In an extra pass these are tensors.
            watch_outputs(tape)
            loss, y_pred = self._regularized_loss(x, y, sample_weight)
            scaled = loss if self.optimizer is None else self.optimizer.scale_loss(loss)
        return loss, gradients_and_outputs(tape, scaled, values), y_pred

    def _regularized_loss(self, x, y, sample_weight):
        forward = self._plain_loss
        for step in reversed(self.steps):
            forward = functools.partial(step.loss, self, forward)
        return forward(x, y, sample_weight)

    def _plain_loss(self, x, y, sample_weight):
        y_pred = self(x, training=True)
        return self._compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=True), y_pred


def _check_model(model):
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        fail("model", model, "a functional or sequential keras.Model with known inputs")
    if isinstance(model, RegularizedModel):
        fail("model", model, "a model without steps", "Give all steps to one RegularizedModel: its `model` attribute.")
    if type(model).train_step is not keras.Model.train_step:
        fail("model", model, "a model with Keras' own train_step", "The other one would be lost.")


def _checked_steps(steps):
    advice = "For instance [ut.regularization.RDrop(alpha=1.0)]."
    if not isinstance(steps, (list, tuple)) or not all(isinstance(step, StepRegularizer) for step in steps):
        fail("steps", steps, "a list of StepRegularizer objects", advice)
    return tuple(steps)


def _structure(model, side):
    """Return the model's inputs or outputs in the structure it was built with."""
    graph = model._functional if isinstance(model, keras.Sequential) else model
    return getattr(graph, f"_{side}s_struct")


def _unscaled(loss):
    """Undo what Keras' losses do in a replica, as its own train step does for the loss that it reports."""
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    return loss if replicas == 1 else loss * replicas
