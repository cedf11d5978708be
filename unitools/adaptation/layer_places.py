"""Every layer inside a model, at any depth, by a path."""

import re

import keras

from unitools.adaptation.adapter_slot import AdapterSlot
from unitools.adaptation.place import Place


def places(model: keras.Model) -> list[Place]:
    """Return the model's layers, those inside composite layers too, each one once; the model itself first."""
    found = [Place("", "", model)]
    _walk(found[0], found, {id(model)})
    return found


def children(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Return the layers right inside a layer, adapters apart."""
    inner = layer.layers if isinstance(layer, keras.Model) else layer._layers
    return [child for child in inner if not isinstance(child, AdapterSlot)]


def _walk(place, found, seen):
    inner = children(place.layer)
    for child, title in zip(inner, _titles(inner), strict=True):
        if id(child) not in seen:
            seen.add(id(child))
            found.append(Place(_joined(place.path, child.name), _joined(place.title, title), child))
            _walk(found[-1], found, seen)


def _titles(layers):
    """Return names that are distinct, and do not depend on what else the process has built."""
    counts, titles = {}, []
    for layer in layers:
        kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", type(layer).__name__).lower()
        title = kind if re.fullmatch(rf"{kind}(_\d+)?", layer.name) else layer.name
        counts[title] = counts.get(title, -1) + 1
        titles.append(f"{title}#{counts[title]}" if counts[title] else title)
    return titles


def _joined(path, name):
    return f"{path}/{name}" if path else name
