"""The adapters of a model."""

import math

from unitools.adaptation.adapter_report import AdapterReport
from unitools.adaptation.adapter_slot import own_weights
from unitools.adaptation.place import Place
from unitools.adaptation.switch import active_name, is_merged, names_on, slots


def report(found: list[Place], name: str) -> AdapterReport:
    """Return what an adapter trains."""
    parts = [slot.parts[name] for _, slot in slots(found) if name in slot.parts]
    added = sum(_size(variable) for part in parts for variable in part.weights)
    kinds = [type(slot.state.adapters[name]).__name__ for _, slot in slots(found) if name in slot.state.adapters]
    return AdapterReport(
        name=name,
        kind=kinds[0],
        active=name == active_name(found),
        merged=name == active_name(found) and is_merged(found),
        num_layers=len(parts),
        added_parameters=added,
        trained_parameters=added + sum(_trained(place.layer, slot, name) for place, slot in slots(found)),
        parameters=sum(_size(variable) for place in found for variable in own_weights(place.layer).values()),
    )


def reports(found: list[Place]) -> dict[str, AdapterReport]:
    """Return what each adapter trains, by name."""
    return {name: report(found, name) for name in names_on(found)}


def _trained(layer, slot, name):
    """Return the number of a layer's own parameters that an adapter trains. Statistics are not learned."""
    learning = {id(variable) for variable in layer._trainable_variables}
    kept = slot.state.values.get(name, {})
    return sum(_size(v) for key, v in own_weights(layer).items() if key in kept and id(v) in learning)


def _size(variable):
    return math.prod(variable.shape)
