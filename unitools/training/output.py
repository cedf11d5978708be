"""What a model's output is, and the loss and metric that fit it."""

import keras
from keras import tree

from unitools.losses import CrossEntropy
from unitools.training.graph import last_operation

_ADVICE = "Pass loss= to unitools.training.compile."
_ACTIVATIONS = {
    keras.activations.softmax: "softmax",
    keras.activations.sigmoid: "sigmoid",
    keras.activations.linear: "linear",
}


def output_kind(model):
    """Return "softmax", "sigmoid", "linear" or None for anything else, and the name of what makes the output."""
    operation = last_operation(model)
    if operation is None:
        return None, type(model).__name__
    return _kind(operation), operation.name


def default_loss(model, label_smoothing):
    """Return the loss that fits the model's output, or raise if it cannot be told.

    Softmax: CrossEntropy from probabilities. Two or more linear outputs: CrossEntropy from logits. Sigmoid: a yes or no
    for each output.
    """
    outputs = tree.flatten(getattr(model, "outputs", None) or [])
    if len(outputs) != 1:
        raise ValueError(
            f"The loss can be chosen for a model with one known output. Received a model with {len(outputs)} known "
            f"outputs: {model.name!r}. {_ADVICE}"
        )
    kind, name = output_kind(model)
    width = outputs[0].shape[-1]
    if kind == "sigmoid":
        return keras.losses.BinaryCrossentropy(label_smoothing=label_smoothing)
    if kind in ("softmax", "linear") and (width or 0) > 1:
        return CrossEntropy(from_logits=kind == "linear", label_smoothing=label_smoothing)
    raise ValueError(
        f"The model must end in a softmax, a sigmoid, or two linear outputs or more for the loss to be chosen. "
        f"Received {kind or 'an unknown function'} over {width} output(s), made by {name!r}. "
        f"A single linear output can be a logit or a number. {_ADVICE}"
    )


def default_metrics(model):
    """Return the accuracy that fits the model's output; nothing where it cannot be told."""
    kind, _ = output_kind(model)
    return {"softmax": ["accuracy"], "linear": ["accuracy"], "sigmoid": [keras.metrics.BinaryAccuracy("accuracy")]}.get(
        kind, []
    )


def describe_loss(loss):
    """Return a loss's name, and what it takes, for the report."""
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    if not isinstance(loss, CrossEntropy):
        return name
    smoothing = f", label smoothing {loss.label_smoothing:g}" if loss.label_smoothing else ""
    return f"{name} on {'logits' if loss.from_logits else 'probabilities'}{smoothing}"


def _kind(operation):
    if isinstance(operation, keras.layers.Softmax):
        return "softmax"
    activation = getattr(operation, "output_activation", getattr(operation, "activation", None))
    if isinstance(activation, str) and isinstance(operation, keras.layers.Layer):
        activation = keras.activations.get(activation)
    if activation is None and not isinstance(operation, keras.layers.Layer):
        # An operation without a layer, as keras.ops.softmax(x) makes it. Its class is all it tells.
        return {"softmax": "softmax", "sigmoid": "sigmoid"}.get(type(operation).__name__.lower())
    return _ACTIVATIONS.get(activation)
