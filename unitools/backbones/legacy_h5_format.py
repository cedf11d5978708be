"""Weights in the `.h5` files of Keras 2, the format in which keras.applications publishes."""

from pathlib import Path

import h5py

from unitools.backbones.partial import compare, require_complete
from unitools.backbones.weights_file_error import WeightsFileError
from unitools.backbones.weights_report import WeightsReport


def load_legacy_h5(model, path: Path, allow_partial: bool) -> WeightsReport:
    """Set the model's weights from the file.

    Layers are matched by name; where no name matches and the number of layers is equal, by order, as Keras does.
    """
    variables = _model_variables(model)
    try:
        with h5py.File(path, "r") as file:
            found = _file_datasets(file, path)
            found = _renamed_by_order(found, variables)
            shapes = {name: tuple(dataset.shape) for name, dataset in found.items()}
            expected = {name: tuple(variable.shape) for name, variable in variables.items()}
            report = require_complete(compare(path, expected, shapes), allow_partial)
            for name in report.matched:
                variables[name].assign(found[name][...])
    except OSError as error:
        raise WeightsFileError(
            f"{path} is no whole HDF5 file: {error}. It is damaged or was cut short; fetch it again."
        ) from error
    return report


def _model_variables(model):
    """Return variables by "layer/position", in the order of Keras 2: trainable ones first."""
    return {
        f"{layer.name}/{position}": variable
        for layer in model.layers
        for position, variable in enumerate(layer.trainable_weights + layer.non_trainable_weights)
    }


def _file_datasets(file, path):
    group = file["model_weights"] if "layer_names" not in file.attrs and "model_weights" in file else file
    if "layer_names" not in group.attrs:
        raise WeightsFileError(
            f"{path} names no layers. Expected weights in the .h5 format of Keras 2. "
            "If it was written by `save_weights` of Keras 3, rename it so that it ends in .weights.h5."
        )
    datasets = {}
    for layer in _names(group, "layer_names"):
        for position, weight in enumerate(_names(group[layer], "weight_names")):
            datasets[f"{layer}/{position}"] = group[layer][weight]
    return datasets


def _names(group, attribute):
    """Return a list of names. HDF5 attributes hold 64 KB, so Keras cuts long lists into numbered parts."""
    keys = [attribute] if attribute in group.attrs else []
    while f"{attribute}{len(keys)}" in group.attrs:
        keys.append(f"{attribute}{len(keys)}")
    entries = [entry for key in keys for entry in group.attrs[key]]
    return [entry.decode("utf8") if isinstance(entry, bytes) else str(entry) for entry in entries]


def _renamed_by_order(found, variables):
    in_file = list(dict.fromkeys(name.rpartition("/")[0] for name in found))
    in_model = list(dict.fromkeys(name.rpartition("/")[0] for name in variables))
    if set(in_file) & set(in_model) or len(in_file) != len(in_model):
        return found
    layer = dict(zip(in_file, in_model, strict=True))
    return {f"{layer[name.rpartition('/')[0]]}/{name.rpartition('/')[2]}": data for name, data in found.items()}
