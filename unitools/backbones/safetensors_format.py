"""Weights in `.safetensors` files: one tensor a variable, named "layer/variable"."""

import re
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from unitools.backbones.partial import compare, require_complete
from unitools.backbones.recipes import RECIPE_KEY, parse_recipe, recipe_text
from unitools.backbones.weights_file_error import WeightsFileError
from unitools.backbones.weights_report import WeightsReport


def save_safetensors(model, path: Path) -> None:
    """Write the model's weights, and its recipe where it has one."""
    tensors = {name: np.asarray(variable.numpy(), order="C") for name, variable in named_weights(model).items()}
    recipe = recipe_text(model)
    save_file(tensors, str(path), metadata={"format": "keras"} | ({RECIPE_KEY: recipe} if recipe else {}))


def load_safetensors(model, path: Path, allow_partial: bool) -> WeightsReport:
    """Set the model's weights from the file."""
    variables = named_weights(model)
    with open_safetensors(path) as file:
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in _names(file)}
        expected = {name: tuple(variable.shape) for name, variable in variables.items()}
        report = require_complete(compare(path, expected, shapes), allow_partial)
        for name in report.matched:
            variables[name].assign(file.get_tensor(name))
    return report


def safetensors_recipe(path: Path) -> dict | None:
    """Return the recipe the file holds, or None."""
    with open_safetensors(path) as file:
        text = (file.metadata() or {}).get(RECIPE_KEY)
    return None if text is None else parse_recipe(text, path)


def open_safetensors(path: Path):
    """Open the file for reading, or say that it is damaged."""
    try:
        return safe_open(str(path), framework="numpy")
    except (SafetensorError, OSError) as error:
        raise WeightsFileError(
            f"{path} is no whole safetensors file: {error}. It is damaged or was cut short; fetch it again."
        ) from error


def _names(file):
    return list(file.keys())  # a safetensors file is not iterable itself


def named_weights(model) -> dict:
    """Return the model's weights by "layer/variable", names that do not depend on what was built before."""
    named = {}
    for layer, title in zip(model.layers, _titles(model.layers), strict=True):
        for variable in layer.weights:
            _, found, rest = variable.path.partition(f"{layer.name}/")
            name = f"{title}/{rest if found else variable.name}"
            count = sum(known == name or known.startswith(f"{name}#") for known in named)
            named[f"{name}#{count}" if count else name] = variable
    return named


def _titles(layers):
    """Return the layers' names, with those that Keras made up counted from the start of this model.

    The second Normalization layer of a process is called "normalization_1", in whatever model it is.
    """
    counts, titles = {}, []
    for layer in layers:
        kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(layer).__name__).lower()
        made_up = re.fullmatch(rf"{kind}(_\d+)?", layer.name) is not None
        if made_up:
            counts[kind] = counts.get(kind, -1) + 1
        titles.append(f"{kind}_{counts[kind]}" if made_up and counts[kind] else kind if made_up else layer.name)
    return titles
