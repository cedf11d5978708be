"""Mixed precision for a model that already stands."""

import keras
import tensorflow as tf
from keras import tree

from unitools.core.checks import check_choice, fail
from unitools.training.graph import is_graph, producer

_POLICIES = ("mixed_float16", "mixed_bfloat16")


def apply_precision(model, choice):
    """Set the layers' dtype policy, and return the name of the policy and the reason."""
    check_choice("mixed_precision", choice, (None, "auto", *_POLICIES))
    if choice is None:
        return model.dtype_policy.name, "as the model was made"
    policy, reason = _policy_for_device() if choice == "auto" else (choice, "as asked")
    if policy == "float32" or model.dtype_policy.name == policy:
        return model.dtype_policy.name, reason
    if not is_graph(model):
        fail("mixed_precision", choice, "None for a model whose layers form no graph",
             f"Call keras.config.set_dtype_policy({policy!r}) before you make the model.")  # fmt: skip
    kept = _first_layers(model) | _last_layers(model)
    for layer in model._flatten_layers():
        if layer not in kept and layer.dtype_policy.name == "float32":
            layer.dtype_policy = policy
    return policy, f"{reason}; float32 before the first weights and in the last layer"


def wrap_optimizer(optimizer, policy):
    """Return the optimizer, with loss scaling for float16.

    Keras wraps by itself but stores the bare optimizer: a reloaded model trains unscaled.
    """
    if policy != "mixed_float16" or isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer
    return keras.optimizers.LossScaleOptimizer(optimizer)


def _policy_for_device():
    if tf.config.list_logical_devices("TPU"):
        return "mixed_bfloat16", "TPU"
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "float32", "CPUs gain nothing from half precision"
    capability = tf.config.experimental.get_device_details(gpus[0]).get("compute_capability", (0, 0))
    if capability >= (8, 0):
        return "mixed_bfloat16", "GPU with bfloat16 units"
    if capability >= (7, 0):
        return "mixed_float16", "GPU with float16 units"
    return "float32", "GPU without units for half precision"


def _first_layers(model):
    """Return the layers whose inputs have met no weights: preprocessing, which needs the inputs' precision."""
    if isinstance(model, keras.Sequential):
        model = model._functional
    kept, exact = set(), {id(tensor) for tensor in tree.flatten(model.inputs)}
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            operation = node.operation
            if not all(id(tensor) in exact for tensor in node.input_tensors):
                continue
            if is_graph(operation):
                kept |= _first_layers(operation)
            elif not getattr(operation, "trainable_variables", ()):
                kept |= _with_children(operation)
                exact |= {id(tensor) for tensor in node.output_tensors}
    return kept


def _last_layers(model):
    kept = set()
    for tensor in tree.flatten(model.outputs):
        operation, _ = producer(tensor)
        kept |= _last_layers(operation) if is_graph(operation) else _with_children(operation)
    return kept


def _with_children(operation):
    return set(operation._flatten_layers()) if isinstance(operation, keras.layers.Layer) else set()
