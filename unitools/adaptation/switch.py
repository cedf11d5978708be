"""Which adapter is active."""

import keras

from unitools.adaptation.adapter_slot import AdapterSlot, slot_of
from unitools.adaptation.place import Place
from unitools.core.checks import fail


def slots(found: list[Place]) -> list[tuple[Place, AdapterSlot]]:
    """Return the places that have a slot, with it."""
    return [(place, slot) for place in found if (slot := slot_of(place.layer)) is not None]


def names_on(found: list[Place]) -> list[str]:
    """Return the names of the adapters, in the order in which they came."""
    return list(dict.fromkeys(name for _, slot in slots(found) for name in slot.state.adapters))


def active_name(found: list[Place]) -> str | None:
    """Return the name of the active adapter, or None."""
    return next((slot.state.active for _, slot in slots(found) if slot.state.active is not None), None)


def is_merged(found: list[Place]) -> bool:
    """Return whether kernels hold an adapter."""
    return any(slot.merged for _, slot in slots(found))


def require_unmerged(found: list[Place]) -> None:
    """Raise if kernels hold an adapter."""
    if is_merged(found):
        fail("model", f"merged with {active_name(found)!r}", "unmerged", "Call unmerge(model) first.")


def known_name(found: list[Place], name: str | None) -> str:
    """Return the name, or the active adapter's for None, or raise if there is none."""
    names = names_on(found)
    name = active_name(found) if name is None else name
    if name not in names:
        fail("name", name, f"one of the model's adapters, {names}", "Apply or load it first.")
    return name


def switch(model: keras.Model, found: list[Place], name: str | None) -> None:
    """Make an adapter the active one, or none, on all layers."""
    for place, slot in slots(found):
        slot.switch(place.layer, name)
    if slots(found):
        _open(found)
    forget_functions(model, found)


def _open(found):
    """Let what is inside a layer say whether it learns, where a flag on the layer would hide it."""
    for place in found:
        if slot_of(place.layer) is None:
            place.layer._trainable = True


def forget_functions(model: keras.Model, found: list[Place]) -> None:
    """Let Keras trace the model's functions anew."""
    for layer in [model, *(place.layer for place in found)]:
        if isinstance(layer, keras.Model):
            layer.train_function = layer.test_function = layer.predict_function = None
