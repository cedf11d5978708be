"""Which weights of the base an adapter trains beside its own: the head, norms, biases, patterns."""

from collections.abc import Sequence

import keras

from unitools.adaptation.adapter_slot import own_weights
from unitools.adaptation.layer_order import ordered_layers
from unitools.adaptation.place import Place
from unitools.core.name_patterns import fitting

HEAD, NORMS, BIASES = "head", "norms", "biases"
_OF_NORMS = {"gamma", "beta", "scale", "moving_mean", "moving_variance"}


def trained_weights(model: keras.Model, found: list[Place], train_also: Sequence[str]) -> dict[str, set[str]]:
    """Return {title of a layer: names of its own weights} of what `train_also` means.

    Args:
        model: The model.
        found: Its places.
        train_also: "head", "norms", "biases", and patterns of paths of layers or weights.
    """
    weights = {(place, key): f"{place.path}/{key}".lstrip("/") for place in found for key in own_weights(place.layer)}
    heads = {id(layer) for head in head_layers(model) for layer in head._flatten_layers()} if HEAD in train_also else ()
    patterns = [pattern for pattern in train_also if pattern not in (HEAD, NORMS, BIASES)]
    wanted = fitting("train_also", patterns, list(weights.values()), "the path of a layer or of a weight", inside=True)
    trained = {}
    for (place, key), path in weights.items():
        if (
            id(place.layer) in heads
            or (NORMS in train_also and is_norm(place.layer))
            or (BIASES in train_also and is_bias(key))
            or path in wanted
        ):
            trained.setdefault(place.title, set()).add(key)
    return trained


def is_norm(layer: keras.layers.Layer) -> bool:
    """Return whether a layer is a norm, of whatever library: told from the names of its weights."""
    names = set(own_weights(layer))
    return bool(names) and names <= _OF_NORMS


def is_bias(name: str) -> bool:
    """Return whether a weight is a bias, that of a norm included."""
    return name in ("bias", "beta") or name.endswith("_bias")


def head_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers with weights that are next to the model's outputs.

    A text or image backbone of unitools has no head; of another model that is not functional, it is the last layer.
    """
    if hasattr(type(model), "sequence_output") or hasattr(type(model), "pyramid_outputs"):
        return []
    if isinstance(model, keras.Sequential) or not getattr(model, "outputs", None):
        weighted = [layer for _, layer in ordered_layers(model) if layer.weights]
        return weighted[-1:]
    found = {}
    for output in model.outputs:
        _trace(output, found, set())
    return list(found.values())


def _trace(tensor, found, seen):
    """Collect the first operations with weights on the ways from a tensor back to the inputs."""
    operation, node, _ = tensor._keras_history
    if id(operation) in seen:
        return
    seen.add(id(operation))
    if isinstance(operation, keras.Model):
        found |= {id(layer): layer for layer in head_layers(operation)}
    elif getattr(operation, "weights", None):
        found[id(operation)] = operation
    else:
        for source in operation._inbound_nodes[node].input_tensors:
            _trace(source, found, seen)
