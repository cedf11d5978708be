"""Whether XLA pays."""

import keras
import tensorflow as tf
from keras import tree
from tensorflow.python.framework.config import is_op_determinism_enabled  # TensorFlow exports no public reader

from unitools.core.checks import check_choice

# Measured on two CPU cores: XLA made a small encoder's step 1.3 times as fast and a convolutional net's 0.9 times, and
# a six-layer encoder's compilation takes 18 s.
_STEPS_THAT_REPAY = 1000


def choose_jit(model, choice, steps=None):
    """Return whether to compile by XLA, and the reason. `steps` is the length of the run, if known."""
    check_choice("jit_compile", choice, ("auto", True, False))
    if choice != "auto":
        return bool(choice), "as asked"
    obstacle = _obstacle(model, steps)
    return (False, obstacle) if obstacle else (True, "fixed shapes, every layer supports it")


def _obstacle(model, steps):
    unsupported = [layer.name for layer in model._flatten_layers() if not layer.supports_jit]
    if unsupported:
        return f"layer {unsupported[0]!r} does not support XLA"
    if is_op_determinism_enabled():
        return "deterministic operations are on"
    if tf.distribute.has_strategy() or getattr(model, "_distribute_strategy", None):
        return "tf.distribute"
    if _has_open_shapes(model):
        return "an input's shape is open, and XLA compiles once a shape"
    if not (tf.config.list_physical_devices("GPU") or tf.config.list_physical_devices("TPU")):
        return _obstacle_on_cpu(model, steps)
    return None


def _obstacle_on_cpu(model, steps):
    if any(hasattr(layer, "kernel_size") for layer in model._flatten_layers()):
        return "CPU only, where convolutions are faster without"
    if (steps or 0) < _STEPS_THAT_REPAY:
        return f"CPU only, where compilation takes {_STEPS_THAT_REPAY} steps to repay"
    return None


def _has_open_shapes(model):
    inputs = tree.flatten(getattr(model, "inputs", None) or [])
    if not inputs or not all(isinstance(tensor, keras.KerasTensor) for tensor in inputs):
        return True
    return any(None in tensor.shape[1:] for tensor in inputs)
