"""No config of a model leaves its adapters out without a word.

A config is what a `.keras` file, a clone and a pickle are made from. It names the base's classes, so that what is read
again is the base: with an unmerged adapter that would be another model.
"""

import functools

import keras

from unitools.adaptation.adapter_slot import AdapterSlot
from unitools.adaptation.layer_places import children
from unitools.adaptation.place import Place


def guard(found: list[Place]) -> None:
    """Watch the configs of all layers that have an adapter's part inside."""
    for place in found:
        if children(place.layer) or "adapter_slot" in vars(place.layer):
            # On the object, as Keras wraps `build`: the classes of composite layers stay what they are.
            vars(place.layer)["get_config"] = functools.partial(_guarded, place.layer)
            if isinstance(place.layer, keras.Model):
                # What is read again has other trainable weights: the optimizer's variables would not fit them.
                vars(place.layer)["get_compile_config"] = lambda: None


def unguard(found: list[Place]) -> None:
    """Stop watching."""
    for place in found:
        for name in ("get_config", "get_compile_config"):
            vars(place.layer).pop(name, None)


def _guarded(layer):
    working = [slot for slot in layer._flatten_layers() if isinstance(slot, AdapterSlot) and slot.part is not None]
    names = {slot.state.active for slot in working if not slot.merged}
    if names:
        raise ValueError(
            f"A config of {layer.name!r}, as .keras files, clones and pickles need it, cannot hold the adapter "
            f"{names.pop()!r} that works in it. Call unitools.adaptation.merge(model) first, and unmerge(model) "
            "afterwards; or write weights (save_weights), the adapter (save_adapter) or an export, which can."
        )
    return type(layer).get_config(layer)
