"""Backbones of keras-hub: its presets, and folders it can read. keras_hub is imported on first use only."""

import importlib
from pathlib import Path

import keras

from unitools.backbones.downloads import downloading
from unitools.backbones.preprocess import Preprocess
from unitools.backbones.weights_file_error import WeightsFileError

# keras-hub reads Kaggle, Hugging Face and ModelScope addresses, and Google's buckets.
_SCHEMES = ("kaggle://", "hf://", "modelscope://", "gs://")


def keras_hub():
    """Return the module keras_hub, imported."""
    return importlib.import_module("keras_hub")


def is_hub_address(name: str) -> bool:
    """Return whether a name is an address that keras-hub fetches from."""
    return name.startswith(_SCHEMES)


def hub_preset_names() -> tuple[str, ...]:
    """Return the names of keras-hub's presets."""
    return tuple(sorted(keras_hub().models.Backbone.presets))


def build_hub_preset(name: str, *, load_weights: bool) -> tuple[keras.Model, keras.layers.Layer | None]:
    """Return the backbone and the preprocessing of a preset or address. Fetches what is not cached.

    The architecture itself is part of the preset, so even random weights need its config file.
    """
    with downloading(f"The keras-hub preset {name!r}", 'load("path/to/folder") with config.json and model.weights.h5'):
        return _from_preset(name, load_weights)


def build_hub_folder(folder: Path, *, load_weights: bool) -> tuple[keras.Model, keras.layers.Layer | None]:
    """Return the backbone and the preprocessing of a folder that keras-hub reads. Opens no connection."""
    try:
        return _from_preset(str(folder.resolve()), load_weights)
    except (OSError, ValueError, KeyError) as error:
        raise WeightsFileError(
            f"{folder} cannot be read: {error} Expected a folder that keras-hub reads, of its own, Transformers' or "
            "timm's format, with whole files."
        ) from error


def hub_pyramid(model) -> tuple[tuple[int, str], ...] | None:
    """Return the feature pyramid that a keras-hub backbone states, as (level, layer name), or None."""
    outputs = getattr(model, "pyramid_outputs", None)
    if not outputs:
        return None
    return tuple((int(level[1:]), tensor._keras_history.operation.name) for level, tensor in outputs.items())


def _from_preset(preset, load_weights):
    hub = keras_hub()
    model = hub.models.Backbone.from_preset(preset, load_weights=load_weights)
    try:
        converter = hub.layers.ImageConverter.from_preset(preset)
    except (ValueError, FileNotFoundError):  # a text or audio backbone has none
        converter = None
    return model, _preprocess(converter)


def _preprocess(converter):
    """Return the converter's scaling as our layer: x * scale + offset is (x - mean) / std."""
    if converter is None:
        return None
    scale = 1.0 if converter.scale is None else converter.scale
    offset = 0.0 if converter.offset is None else converter.offset
    pairs = [(s, o) for s, o in zip(_three(scale), _three(offset), strict=True)]
    return Preprocess(tuple(-o / s for s, o in pairs), tuple(1 / s for s, o in pairs), name="preprocess")


def _three(value):
    return [float(entry) for entry in value] if isinstance(value, (list, tuple)) else [float(value)] * 3
