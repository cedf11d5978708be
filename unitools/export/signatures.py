"""What goes in and what comes out: names, shapes and dtypes of a model."""

import re

import keras
import tensorflow as tf

from unitools.core.checks import check_integer, fail

_MADE_BY_KERAS = re.compile(r"(keras_tensor|input_layer)(_\d+)?$")


def input_structure(model):
    """Return the nested structure of the model's symbolic inputs.

    Raises:
        ValueError: The model is not built, is no `keras.Model`, or does not know its inputs.
    """
    if not isinstance(model, keras.Model):
        fail("model", model, "a keras.Model", "Wrap layers in keras.Sequential.")
    if not model.built or not getattr(model, "inputs", None):
        fail(
            "model",
            model.name,
            "a built model that knows its inputs",
            "Build it, or wrap it: inputs = keras.Input(shape); keras.Model(inputs, model(inputs)).",
        )
    structure = model.inputs if isinstance(model, keras.Sequential) else model.input
    return structure[0] if isinstance(structure, (list, tuple)) and len(structure) == 1 else structure


def input_specs(model):
    """Return one `tf.TensorSpec` an input, with a clean name and a free batch axis, in flattened order."""
    structure = input_structure(model)
    tensors = keras.tree.flatten(structure)
    given = _keys(structure) if isinstance(structure, dict) else [tensor.name for tensor in tensors]
    names = clean_names(given, "inputs")
    for tensor in tensors:
        if tensor.shape[0] is not None:
            fail(
                "model", tensor.shape, "of free batch size", "Build it with keras.Input(shape=...), without batch_size."
            )
    return [tf.TensorSpec(x.shape, x.dtype, name) for x, name in zip(tensors, names, strict=True)]


def image_spec(model, image_size=None):
    """Return the float32 `tf.TensorSpec` `(batch, height, width, channels)` of a model that takes images.

    Args:
        model: The model.
        image_size: (height, width) for a model that takes any size; otherwise None or the model's own size.
    """
    specs = input_specs(model)
    if len(specs) != 1 or specs[0].shape.rank != 4 or specs[0].shape[-1] is None:
        shapes = [spec.shape.as_list() for spec in specs]
        fail("model", shapes, "a model of one input (batch, height, width, channels)", 'Give inputs="arrays".')
    shape = specs[0].shape.as_list()
    if image_size is not None:
        size = tuple(image_size)
        if len(size) != 2 or any(own not in (None, side) for own, side in zip(shape[1:3], size, strict=True)):
            fail("image_size", image_size, f"the model's own (height, width) = {tuple(shape[1:3])}, None for free")
        shape[1:3] = size
    return tf.TensorSpec(shape, tf.float32, "images")


def waveform_spec(model, num_samples=None, has_preprocess=False):
    """Return the float32 `tf.TensorSpec` `(batch, samples)` of a model that takes waveforms.

    Args:
        model: The model.
        num_samples: Samples of a waveform where the model does not say so; otherwise None or the model's own.
        has_preprocess: Whether something else than the model hears the waveforms first, which hides their length.
    """
    if num_samples is not None:
        check_integer("num_samples", num_samples, 1)
    if has_preprocess:
        return tf.TensorSpec((None, num_samples), tf.float32, "waveforms")
    specs = input_specs(model)
    shapes = [spec.shape.as_list() for spec in specs]
    if len(specs) != 1 or not specs[0].dtype.is_floating or not (len(shapes[0]) == 2 or shapes[0][2:] == [1]):
        wanted = "a model of one float input (batch, samples) or (batch, samples, 1)"
        fail("model", shapes, wanted, 'Give `preprocess`, or inputs="arrays".')
    own = shapes[0][1]
    if num_samples is not None and own not in (None, num_samples):
        fail("num_samples", num_samples, f"the model's own, {own}")
    return tf.TensorSpec((None, own or num_samples), tf.float32, "waveforms")


def output_names(model, output_name=None):
    """Return one clean name an output, in flattened order.

    Args:
        model: The model.
        output_name: Name of a single output. Default: the model's own.
    """
    structure = model.outputs if isinstance(model, keras.Sequential) else model.output
    if isinstance(structure, dict):
        return clean_names(_keys(structure), "outputs")
    if len(model.outputs) == 1 and output_name is not None:
        return clean_names([output_name], "outputs")
    names = [getattr(tensor._keras_history.operation, "name", tensor.name) for tensor in model.outputs]
    return clean_names(names, "outputs")


def _keys(structure):
    """Return a name for each leaf in flattened order: its keys and places, such as "pictures_0"."""
    return ["_".join(map(str, path)) for path, _ in keras.tree.flatten_with_path(structure)]


def clean_names(names, default):
    """Return `names` as distinct Python identifiers. Names that Keras counted up become `default`, `default_2`, ..."""
    clean = []
    for name in names:
        plain = default if _MADE_BY_KERAS.match(name) else re.sub(r"\W+", "_", name).strip("_") or default
        plain = f"_{plain}" if plain[0].isdigit() else plain
        wanted, count = plain, 2
        while plain in clean:
            plain, count = f"{wanted}_{count}", count + 1
        clean.append(plain)
    return clean
