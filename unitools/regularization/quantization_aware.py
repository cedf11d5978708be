"""A model that learns to be rounded."""

import keras

from unitools.core.checks import fail
from unitools.regularization.layer_call import check_graph, layer_calls
from unitools.regularization.placement_report import PlacementReport
from unitools.regularization.quantized_kernel import KERNEL_LAYERS, QuantizedKernel
from unitools.regularization.quantized_output import QuantizedOutput
from unitools.regularization.wrap_layers import wrap_layers

_SUMS = (keras.layers.Add, keras.layers.Multiply, keras.layers.Average, keras.layers.Concatenate)
_ACTIVATIONS = (keras.layers.Activation, keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.PReLU)
_NORMS = (keras.layers.BatchNormalization,)
_FUSED = ("relu", "relu6")


def quantization_aware(model: keras.Model, *, bits: int = 8, momentum: float = 0.99) -> keras.Model:
    """Return the model with kernels and activations rounded as an integer runtime rounds them. Weights are shared.

    Why: rounding a trained network to 8 bits costs score, more so a small one, and with fewer bits. Trained for some
    epochs with the rounding in, at a small rate, it learns weights that stand it. As the weights are shared, the old
    model has them afterwards: export that, by `ut.export.litert(model, ..., quantization="int8")`.

    Wrapped by `QuantizedKernel`: dense and convolutional layers. By `QuantizedOutput`: these, batch norms, activations,
    sums, products and concatenations, but where a batch norm or a ReLU follows that the runtime computes in one with
    them, and but for the outputs of the model, whose tails the loss needs. What composite layers do inside, and layers
    that are not named here, stays in floats. `wrap_layers` places the two otherwise.

    Args:
        model: A functional model, or a sequential one that has been built. Nested ones are opened.
        bits: Bits of weights and activations, 2 to 16. Default 8.
        momentum: Share of the old range that a step of training keeps. Default 0.99.

    Returns:
        The new model, not compiled. Its `placement_report` says what is rounded.

    Raises:
        ValueError: The model has no layer that could be rounded.
        TypeError: `model` is no Keras model.

    Example:
    >>> net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu", name="hidden")])
    >>> net.add(keras.layers.Dense(2, name="score"))
    >>> aware = ut.regularization.quantization_aware(net)
    >>> print(aware.placement_report)
    QuantizedKernel, QuantizedOutput at 3 places:
      hidden (kernel)
      score (kernel)
      hidden (output)
    """
    calls = layer_calls(check_graph(model))
    kernels = [call.path for call in calls if isinstance(call.layer, KERNEL_LAYERS)]
    if not kernels:
        fail("model", model.name, "one with dense or convolutional layers of its own", "Wrap the layers inside others.")
    outputs = _rounded_outputs(calls, {id(tensor) for tensor in model.outputs})
    changed = wrap_layers(model, lambda layer: QuantizedKernel(layer, bits=bits), kernels)
    if outputs:
        changed = wrap_layers(changed, lambda layer: QuantizedOutput(layer, bits=bits, momentum=momentum), outputs)
    places = (*(f"{path} (kernel)" for path in kernels), *(f"{path} (output)" for path in outputs))
    changed.placement_report = PlacementReport("QuantizedKernel, QuantizedOutput", places)
    return changed


def _rounded_outputs(calls, last):
    """Return the paths of the layers whose outputs an integer runtime rounds."""
    users = {}
    for call in calls:
        for tensor in call.node.arguments.keras_tensors:
            users.setdefault(id(tensor), []).append(call.layer)
    rounded, kept = [], set()
    for call in calls:
        tensors = [id(tensor) for tensor in call.node.outputs]
        following = [user for tensor in tensors for user in users.get(tensor, ())]
        is_fused = bool(following) and all(_is_fused(call.layer, user) for user in following)
        if not isinstance(call.layer, (*KERNEL_LAYERS, *_NORMS, *_ACTIVATIONS, *_SUMS)) or is_fused:
            continue
        if last.intersection(tensors):
            kept.add(call.path)
        rounded.append(call.path)
    return [path for path in dict.fromkeys(rounded) if path not in kept]


def _is_fused(layer, user):
    """Return whether a runtime computes `user` in one with `layer`, and rounds after it alone."""
    if isinstance(layer, KERNEL_LAYERS) and isinstance(user, _NORMS):
        return True
    if isinstance(user, keras.layers.ReLU):
        return True
    return isinstance(user, keras.layers.Activation) and getattr(user.activation, "__name__", "") in _FUSED
