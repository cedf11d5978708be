"""Adapter files: one safetensors file with all that was trained."""

from pathlib import Path

import keras
import numpy as np
from keras import ops

from unitools.adaptation.activate import activate, remove
from unitools.adaptation.adapter import checked, kind_called
from unitools.adaptation.adapter_content import AdapterContent
from unitools.adaptation.adapter_file_error import AdapterFileError
from unitools.adaptation.adapter_report import AdapterReport
from unitools.adaptation.adapter_slot import own_weights
from unitools.adaptation.attach import attach
from unitools.adaptation.base_weights import base_shapes, fingerprint
from unitools.adaptation.layer_places import places
from unitools.adaptation.reports import report
from unitools.adaptation.switch import active_name, known_name, names_on, require_unmerged, slots
from unitools.adaptation.wrong_base_error import WrongBaseError


def save_adapter(model: keras.Model, path: str | Path, name: str | None = None) -> Path:
    """Write one file with all that an adapter has trained: its own weights, biases, norms and the head.

    Why: Keras' `save_weights` folds its LoRA factors into the kernels, and keras-hub's adapter file leaves head and
    biases out; after either, training cannot go on. From this file it goes on as if it had not stopped, together with
    the optimizer's variables.

    For the active adapter the file also holds what else of the base learns at the moment, after `unfreeze` say, with
    the statistics of norms that learn. It holds the adapter's settings, versions, and the fingerprint of the base: the
    SHA-256 over all weights that are not in the file. It appears whole or not at all.

    Args:
        model: The model.
        path: Name of the file, ending with ".safetensors". An existing one is replaced.
        name: Name of the adapter. Default None: the active one.

    Returns:
        The path.

    Raises:
        ValueError: The model has no such adapter, or the file's name ends otherwise.

    Example:
    >>> import keras
    >>> import unitools as ut
    >>> layers = [keras.Input((8,)), keras.layers.Dense(8, name="body"), keras.layers.Dense(2, name="top")]
    >>> model = keras.Sequential(layers)
    >>> _ = ut.adaptation.LoRA(rank=2).apply(model)
    >>> ut.adaptation.save_adapter(model, "lora.safetensors").name
    'lora.safetensors'
    """
    found = places(checked(model))
    name = known_name(found, name)
    adapter = next(slot.state.adapters[name] for _, slot in slots(found) if name in slot.state.adapters)
    parts = [(place.title, slot.parts[name]) for place, slot in slots(found) if name in slot.parts]
    weights = _trained(found, name)
    content = AdapterContent(
        kind=type(adapter).__name__,
        config=adapter.get_config(),
        targets=[title for title, _ in parts],
        base=base_shapes(found),
        fingerprint=fingerprint(found, set(weights)),
        own={
            f"{title}/{key}": ops.convert_to_numpy(variable)
            for title, part in parts
            for key, variable in part.tensors().items()
        },
        weights=weights,
    )
    return content.write(Path(path))


def load_adapter(model: keras.Model, path: str | Path, *, name: str | None = None) -> AdapterReport:
    """Put the adapter of a file on a model and make it the active one, or give one that is there the file's values.

    Compile the model again afterwards.

    Args:
        model: A model with the base that the adapter was trained on. Its head and what else is in the file may have any
            values.
        path: A file that `save_adapter` wrote.
        name: What to call the adapter. Default None: what it was called.

    Returns:
        What the adapter trains.

    Raises:
        AdapterFileError: The file is missing, damaged, no adapter file, or of a newer version; or the model has another
            adapter of that name.
        WrongBaseError: The model's base is not the one that the adapter was trained on. The model stays as it was.

    Example:
    >>> import keras
    >>> import unitools as ut
    >>> layers = [keras.Input((8,)), keras.layers.Dense(8, name="body"), keras.layers.Dense(2, name="top")]
    >>> model = keras.Sequential(layers)
    >>> _ = ut.adaptation.LoRA(rank=2).apply(model)
    >>> _ = ut.adaptation.save_adapter(model, "lora.safetensors")
    >>> ut.adaptation.remove(model)
    >>> ut.adaptation.load_adapter(model, "lora.safetensors", name="again").name
    'again'
    """
    found = places(checked(model))
    require_unmerged(found)
    content = AdapterContent.read(Path(path))
    _check_base(found, content, path)
    config = content.config | ({} if name is None else {"name": name})
    adapter = kind_called(content.kind, path).from_config(config)
    trained = {}
    for title, _, key in (full.rpartition("/") for full in content.weights):
        trained.setdefault(title, set()).add(key)
    if adapter.name in names_on(found):
        _fill(found, adapter.name, content, path)
        activate(model, adapter.name)
        return report(found, adapter.name)
    before = active_name(found)
    attach(model, adapter, content.targets, trained)
    try:
        _fill(places(model), adapter.name, content, path)
    except AdapterFileError:
        remove(model, adapter.name)
        activate(model, before)
        raise
    return report(places(model), adapter.name)


def _trained(found, name):
    """Return the values of the base's weights that the adapter trained, or that learn beside it now."""
    active, trained = name == active_name(found), {}
    for place, slot in slots(found):
        kept = slot.state.values.get(name, {})
        variables = own_weights(place.layer)
        if not active:
            trained |= {f"{place.title}/{key}": value for key, value in kept.items()}
            continue
        learning = {id(variable) for variable in place.layer._trainable_variables}
        moving = place.layer._trainable and all(layer is slot for layer in place.layer._layers)
        for key, variable in variables.items():
            if key in kept or variable.trainable or (moving and id(variable) not in learning):
                trained[f"{place.title}/{key}"] = ops.convert_to_numpy(variable)
    return trained


def _check_base(found, content, path):
    """Raise unless the model's base is the file's, apart from the values that are in the file."""
    shapes = base_shapes(found)
    differing = sorted(key for key in shapes | content.base if shapes.get(key) != content.base.get(key))
    if differing:
        first = differing[0]
        raise WrongBaseError(
            f"The adapter in {path} was trained on another base: {len(differing)} weights differ in name, dtype or "
            f"shape. First {first!r}: {content.base.get(first)} in the file, {shapes.get(first)} in the model. "
            "Build the model as it was built for training."
        )
    if fingerprint(found, set(content.weights)) != content.fingerprint:
        raise WrongBaseError(
            f"The adapter in {path} was trained on a base with other values: the SHA-256 of its weights begins with "
            f"{content.fingerprint[:12]}. Load the pretrained weights that it was trained on, before any adapter."
        )


def _fill(found, name, content, path):
    """Give the adapter's weights, and those of the base that it trained, the file's values."""
    own, kept = {}, {}
    for place, slot in slots(found):
        part = slot.parts.get(name)
        own |= {} if part is None else {f"{place.title}/{key}": value for key, value in part.tensors().items()}
        kept |= {f"{place.title}/{key}": (place.layer, slot, key) for key in slot.state.values.get(name, {})}
    expected = {key: tuple(variable.shape) for key, variable in own.items()}
    given = {key: value.shape for key, value in content.own.items()}
    if expected != given or set(kept) != set(content.weights):
        raise AdapterFileError(
            f"{path} does not fit the model's adapter {name!r}: {len(expected)} weights of its own and {len(kept)} of "
            f"the base expected, {len(given)} and {len(content.weights)} found, or of other shapes. Remove that "
            "adapter first, or load under another `name`."
        )
    for key, variable in own.items():
        variable.assign(content.own[key])
    for full, (layer, slot, key) in kept.items():
        slot.state.values[name][key] = np.array(content.weights[full])
        if slot.state.active == name:
            own_weights(layer)[key].assign(content.weights[full])
