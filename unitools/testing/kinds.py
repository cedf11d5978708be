"""What kind of component a specimen is, told by its bases and capabilities, never by its name."""

import inspect

import keras
import numpy as np

from unitools.testing.specimen import Specimen


def is_any(specimen: Specimen) -> bool:
    """Hold for every component."""
    return True


def is_layer(specimen: Specimen) -> bool:
    """Hold for layers and models."""
    return issubclass(specimen.cls, keras.layers.Layer)


def is_loss(specimen: Specimen) -> bool:
    """Hold for losses."""
    return issubclass(specimen.cls, keras.losses.Loss)


def is_metric(specimen: Specimen) -> bool:
    """Hold for metrics."""
    return issubclass(specimen.cls, keras.metrics.Metric)


def is_scored(specimen: Specimen) -> bool:
    """Hold for losses and metrics: both take `(y_true, y_pred, sample_weight)`."""
    return is_loss(specimen) or is_metric(specimen)


def is_executable(specimen: Specimen) -> bool:
    """Hold for everything that computes a result from tensors."""
    return is_layer(specimen) or is_scored(specimen)


def is_compilable(specimen: Specimen) -> bool:
    """Hold for what computes from numbers. XLA knows no strings, and ends the process on some of them."""
    if not is_executable(specimen):
        return False
    leaves = keras.tree.flatten(specimen.inputs()) if specimen.inputs else []
    return not any(np.asarray(leaf).dtype.kind in "OSU" for leaf in leaves)


def is_callback(specimen: Specimen) -> bool:
    """Hold for callbacks."""
    return issubclass(specimen.cls, keras.callbacks.Callback)


def is_stateful_callback(specimen: Specimen) -> bool:
    """Hold for callbacks that hand their state out and take it back."""
    return is_callback(specimen) and hasattr(specimen.cls, "get_state") and hasattr(specimen.cls, "set_state")


def holds_arrays(specimen: Specimen) -> bool:
    """Hold for such callbacks whose state has arrays too."""
    return is_stateful_callback(specimen) and hasattr(specimen.cls, "get_arrays")


def is_augmenter(specimen: Specimen) -> bool:
    """Hold for layers with a pure function `augment(batch, seeds)`."""
    return is_layer(specimen) and hasattr(specimen.cls, "augment")


def takes_training(specimen: Specimen) -> bool:
    """Hold for layers that behave differently in training."""
    return is_layer(specimen) and "training" in inspect.signature(specimen.cls.call).parameters


def takes_seed(specimen: Specimen) -> bool:
    """Hold for random layers that own a seed."""
    return takes_training(specimen) and "seed" in specimen.arguments


def takes_mask(specimen: Specimen) -> bool:
    """Hold for layers of sequences that are told which positions are padding."""
    if not is_layer(specimen):
        return False
    inputs = specimen.inputs()
    if isinstance(inputs, dict):
        return "padding_mask" in inputs
    return (
        hasattr(inputs, "shape")
        and len(inputs.shape) >= 3
        and "mask" in inspect.signature(specimen.cls.call).parameters
    )


def has_bad_values(specimen: Specimen) -> bool:
    """Hold where the specimen names values that the constructor must refuse."""
    return bool(specimen.bad)
