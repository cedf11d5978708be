"""Putting an adapter's parts on a model, and taking them off."""

import contextlib
from typing import Any

import keras
import numpy as np

from unitools.adaptation.adapter_report import AdapterReport
from unitools.adaptation.adapter_slot import give_slot, own_weights, slot_of, take_slot
from unitools.adaptation.layer_places import places
from unitools.adaptation.place import Place
from unitools.adaptation.reports import report
from unitools.adaptation.save_guard import guard, unguard
from unitools.adaptation.switch import active_name, forget_functions, names_on, require_unmerged, switch
from unitools.core.checks import fail


def attach(
    model: keras.Model, adapter: Any, targets: list[str], trained: dict[str, set[str]], seed: int | None = None
) -> AdapterReport:
    """Put an adapter on the layers with these titles, and make it the active one.

    Args:
        model: The model.
        adapter: The adapter.
        targets: Titles of the layers that get a part.
        trained: {title: names} of the base's weights that learn.
        seed: Fixes the parts' first values, or None.
    """
    found = places(model)
    if adapter.name in names_on(found):
        fail("name", adapter.name, "a name that the model has no adapter of", "Give another, or remove that one first.")
    require_unmerged(found)
    by_title = {place.title: place for place in found}
    seeds = [None] * len(targets) if seed is None else np.random.SeedSequence(seed).generate_state(len(targets)) >> 1
    # All parts are made before the model is touched: one that cannot be made leaves the model as it was.
    parts = {
        title: _made(adapter, by_title[title], None if value is None else int(value))
        for title, value in zip(targets, seeds, strict=True)
    }
    switch(model, found, None)
    for place in found:
        if place.title in parts or own_weights(place.layer):
            slot = give_slot(place.layer)
            slot.add(place.layer, adapter, parts.get(place.title), trained.get(place.title, set()))
    guard(found)
    switch(model, found, adapter.name)
    return report(found, adapter.name)


def _made(adapter, place, seed):
    with contextlib.ExitStack() as scopes:
        for step in place.path.split("/"):
            scopes.enter_context(keras.name_scope(step))
        return adapter.make_part(place.layer, place.path, seed)


def detach(model: keras.Model, found: list[Place], name: str) -> None:
    """Take an adapter off, while none is active, and the slots with the last one."""
    for place in found:
        slot = slot_of(place.layer)
        if slot is not None:
            slot.drop(place.layer, name)
    if names_on(found):
        switch(model, found, active_name(found))
    else:
        clear(model, found)


def clear(model: keras.Model, found: list[Place]) -> None:
    """Take all slots off. The weights keep the values they have, an optimizer that knew the parts' is given up."""
    unguard(found)
    for place in found:
        if slot_of(place.layer) is not None:
            take_slot(place.layer)
    for layer in [place.layer for place in found if getattr(place.layer, "optimizer", None) is not None]:
        if isinstance(layer, keras.Model) and layer.optimizer.built:
            layer.optimizer, layer.compiled = None, False
    forget_functions(model, found)
