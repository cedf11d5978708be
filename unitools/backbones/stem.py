"""Other input sizes and channel counts for a network that has its weights already."""

from collections.abc import Sequence

import keras
import numpy as np

from unitools.core.checks import check_integer, fail


def check_input_shape(input_shape: Sequence[int | None] | None) -> tuple | None:
    """Return the shape as a tuple (height, width, channels), or raise."""
    if input_shape is None:
        return None
    advice = "Height and width may be None, for any size."
    if not isinstance(input_shape, Sequence) or isinstance(input_shape, str) or len(input_shape) != 3:
        fail("input_shape", input_shape, "(height, width, channels)", advice)
    sides = [side if side is None else check_integer("input_shape", side, 1, advice=advice) for side in input_shape[:2]]
    return (*sides, check_integer("input_shape", input_shape[2], 1, advice=advice))


def channel_map(source: int, target: int) -> np.ndarray:
    """Return how `target` input channels stand for the `source` channels of the weights, as a matrix (target, source).

    With at least as many channels as before, channel c takes the weights of channel c modulo `source`, divided by the
    number of channels that share them. With fewer, channel c takes the sum of the weights of all channels k with k
    modulo `target` equal to c. Every column sums to 1, so a picture with the same value in every channel gets the
    response it had before.

    Example:
    >>> from unitools.backbones.stem import channel_map
    >>> channel_map(3, 4).tolist()
    [[0.5, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.5, 0.0, 0.0]]
    >>> channel_map(3, 1).tolist()
    [[1.0, 1.0, 1.0]]
    """
    row, column = np.arange(target)[:, None], np.arange(source)[None, :]
    shared = (row % source == column) if target >= source else (column % target == row)
    return shared / shared.sum(axis=0, keepdims=True)


def channel_values(values: Sequence[float], target: int) -> tuple[float, ...]:
    """Return per-channel constants (a mean, a scale) for another channel count: cycled, or averaged where merged."""
    shared = channel_map(len(values), target)
    return tuple((shared @ np.asarray(values) / shared.sum(axis=1)).tolist())


def adapt_kernel(kernel: np.ndarray, target: int) -> np.ndarray:
    """Return a convolution kernel (rows, columns, channels, filters) for `target` input channels."""
    return np.einsum("ts,hwsf->hwtf", channel_map(kernel.shape[2], target), kernel).astype(kernel.dtype)


def with_input_shape(model: keras.Model, input_shape: Sequence[int | None], *, bgr: bool = False) -> keras.Model:
    """Return the model for another input size or channel count, with weights of its own that start as the old ones.

    Args:
        model: Functional model with one picture as input.
        input_shape: (height, width, channels).
        bgr: Whether the model takes its 3 channels as BGR. A model for another count then takes channel 0 as red.

    Returns:
        A new functional model with the same layer names.

    Raises:
        ValueError: A layer's weights depend on the input size, as a dense layer on a flattened map does.
    """
    shape = check_input_shape(input_shape)
    old = model.inputs[0].shape[-1]
    reverse = bgr and shape[2] != old
    inputs = keras.Input(shape, dtype=model.inputs[0].dtype, name=model.inputs[0].name)
    structure = inputs if isinstance(model.input, keras.KerasTensor) else [inputs]
    try:
        copy = keras.models.clone_model(model, structure, clone_function=lambda layer: _clone(layer, old, shape[2]))
        for source, target in zip(model.weights, copy.weights, strict=True):
            target.assign(_fitted(source.numpy(), tuple(target.shape), reverse))
    except (ValueError, TypeError) as error:
        fail("input_shape", shape, f"a size and channel count that {model.name} can take", str(error))
    return copy


def _clone(layer, old, new):
    config = layer.get_config()
    if isinstance(layer, (keras.layers.Rescaling, keras.layers.Normalization)) and old != new:
        config = {key: _fitted_constant(value, old, new) for key, value in config.items()}
    return type(layer).from_config(config)


def _fitted_constant(value, old, new):
    sequence = (
        isinstance(value, (list, tuple)) and len(value) == old and all(isinstance(x, (int, float)) for x in value)
    )
    return list(channel_values(value, new)) if sequence else value


def _fitted(value, shape, reverse):
    if value.shape == shape:
        return value
    if value.ndim == 4 and value.shape[:2] + value.shape[3:] == shape[:2] + shape[3:]:
        return adapt_kernel(value[:, :, ::-1] if reverse else value, shape[2])
    if value.ndim == 1 and len(shape) == 1:
        return np.asarray(channel_values(value, shape[0]), value.dtype)
    raise ValueError(f"weights of shape {value.shape} cannot become {shape}")
