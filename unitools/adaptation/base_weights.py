"""The base's weights under its adapters: their values, and a fingerprint of those that stay."""

import hashlib

import numpy as np
from keras import ops

from unitools.adaptation.adapter_slot import own_weights, slot_of
from unitools.adaptation.place import Place


def base_shapes(found: list[Place]) -> dict[str, list]:
    """Return {title of the layer/name of the weight: [dtype, *shape]} of all weights of the base."""
    return {
        f"{place.title}/{key}": [variable.dtype, *variable.shape]
        for place in found
        for key, variable in own_weights(place.layer).items()
    }


def fingerprint(found: list[Place], without: set[str]) -> str:
    """Return the SHA-256 over names, shapes, dtypes and values of the base's weights, whatever adapter is active.

    Args:
        found: The places.
        without: Names of weights to leave out, such as those that an adapter file holds itself.
    """
    digest = hashlib.sha256()
    for place in found:
        for key in own_weights(place.layer):
            name = f"{place.title}/{key}"
            if name not in without:
                value = _value(place.layer, key)
                digest.update(f"{name} {value.dtype.name} {value.shape}\n".encode())
                digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()


def _value(layer, key):
    """Return a weight's value in the base."""
    slot, variable = slot_of(layer), own_weights(layer)[key]
    if slot is not None and slot.merged and variable is slot.part.kernel(layer):
        return slot.state.kernel
    if slot is not None and slot.state.active is not None and key in slot.state.base:
        return slot.state.base[key]
    return ops.convert_to_numpy(variable)
